import { targets } from "../harness/targets.ts";
import { cacheFolder } from "./cache-folder-suite.ts";

cacheFolder(targets.node);
