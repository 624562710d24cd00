import { targets } from "../harness/targets.ts";
import { conformance } from "./suite.ts";

conformance(targets.nodeWasm, 1e-4);
