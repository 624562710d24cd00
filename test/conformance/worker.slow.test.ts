import { targets } from "../harness/targets.ts";
import { conformance } from "./suite.ts";

conformance(targets.worker, 1e-4, { clock: false });
