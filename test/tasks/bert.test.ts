import { targets } from "../harness/targets.ts";
import { answersLikePython } from "./bert.ts";

answersLikePython(targets.node);
