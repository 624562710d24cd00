import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";

/** Every route of the app, with `model` where a path has one. */
export function allRoutes(model: string): { method: string; path: string; template: string }[] {
  return createApp(createNodePlatform({}))
    .routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => ({ method, path: fill(path, model), template: path }));
}

function fill(path: string, model: string): string {
  const target = /\/versions\//.test(path) ? "1" : /\/labels\//.test(path) ? "stable" : model;
  return path
    .replace(/:target\{\[\^\/\]\+(:\w+)\}/, `${target}$1`)
    .replace(":model", model)
    .replace(":version", "1")
    .replace(":label", "stable")
    .replace(":asset", "package.json");
}
