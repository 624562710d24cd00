import { describe } from "vitest";
import { predictionCacheInRedis, whatRedisAdds } from "./redis-suite.ts";

describe("on Node", () => predictionCacheInRedis("node"));
describe("on Lambda", () => {
  predictionCacheInRedis("lambda");
  whatRedisAdds("lambda");
});
