import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { answersInference } from "./hugging-face.ts";

answersInference(async (STORE) => {
  const env = { STORE, AUTH: "none", ACCESS_LOG: "false" };
  const app = createApp(createService(createNodePlatform(env)));
  return {
    fetch: async (path, init) => app.request(path, init),
    stop: () => Promise.resolve(),
  };
});
