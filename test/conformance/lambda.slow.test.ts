import { targets } from "../harness/targets.ts";
import { conformance } from "./suite.ts";

conformance(targets.lambda, 1e-5);
