import { targets } from "../harness/targets.ts";
import { faults } from "./suite.ts";

faults(targets.node);
