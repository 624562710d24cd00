import { predictionCacheInRedis, whatRedisAdds } from "./redis-suite.ts";

predictionCacheInRedis("lambda");
whatRedisAdds("lambda");
