import { targets } from "../harness/targets.ts";
import { protection } from "./suite.ts";

protection(targets.lambda);
