import { whatRedisAdds } from "./redis-suite.ts";

whatRedisAdds("node");
