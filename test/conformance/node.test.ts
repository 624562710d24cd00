import { targets } from "../harness/targets.ts";
import { conformance } from "./suite.ts";

conformance(targets.node, 1e-5);
