import { predictionCacheInRedis } from "./redis-suite.ts";

predictionCacheInRedis("node");
