import { targets } from "../harness/targets.ts";
import { adversarial } from "./suite.ts";

adversarial(targets.node);
