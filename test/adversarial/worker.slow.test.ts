import { targets } from "../harness/targets.ts";
import { adversarial } from "./suite.ts";

adversarial(targets.worker, { tolerance: 1e-4 });
