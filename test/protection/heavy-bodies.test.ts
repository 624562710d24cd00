import { targets } from "../harness/targets.ts";
import { heavyBodies } from "./heavy-suite.ts";

heavyBodies(targets.node);
