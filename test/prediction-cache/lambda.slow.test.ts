import { targets } from "../harness/targets.ts";
import { predictionCache } from "./suite.ts";

predictionCache(targets.lambda);
