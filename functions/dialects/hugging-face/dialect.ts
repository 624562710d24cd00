import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { huggingFaceRoutes } from "./routes.ts";

/** The bodies of Hugging Face's Inference API, by the model's task, as its own clients send and read them. */
export const huggingFace = defineDialect({
  name: "hugging-face",
  paths: ["/models"],
  routes: huggingFaceRoutes,
  describe,
});
