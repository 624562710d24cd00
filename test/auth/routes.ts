import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";

/** The methods of gRPC that answer without a key, by their paths. */
export const OPEN_CALLS = [
  "/inference.GRPCInferenceService/ServerLive",
  "/inference.GRPCInferenceService/ServerReady",
  "/grpc.health.v1.Health/Check",
];

/** Every route of the app, with `model` where a path has one. */
export function allRoutes(model: string): { method: string; path: string; template: string }[] {
  return createApp(createService(createNodePlatform({})))
    .routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => ({
      method,
      path: fill(withVerb(method, path), model),
      template: path,
    }));
}

/** A POST to a model, a version or a label is TensorFlow Serving's `:predict`, below `/v1`. */
export function withVerb(method: string, template: string): string {
  return method === "POST" && /^\/v1\/.*\/:(model|version|label)$/.test(template)
    ? `${template}:predict`
    : template;
}

function fill(path: string, model: string): string {
  return path
    .replace(":model", model)
    .replace(":version", "1")
    .replace(":label", "stable")
    .replace(":file", "model.onnx")
    .replace(":task", "text-classification")
    .replace(":asset", "package.json");
}
