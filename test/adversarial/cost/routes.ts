import { createApp } from "../../../functions/app.ts";
import { createNodePlatform } from "../../../functions/node.ts";
import { createService } from "../../../functions/service.ts";
import { content, CONTENT_GENES } from "./contents.ts";
import type { Recipe } from "./genes.ts";

interface Route {
  method: string;
  path: string;
}

/** Every route that the app has, with a model, a version and a file in place of its parameters. */
function routesOfApp(): Route[] {
  const app = createApp(createService(createNodePlatform({ STORE: "models", AUTH: "none" })));
  const known = new Map<string, Route>();
  for (const { method, path } of app.routes) {
    if (method === "ALL" || path.includes("*")) continue;
    const filled = path
      .replaceAll(/:model(\{[^}]*\})?/g, "iris")
      .replaceAll(/:version(\{[^}]*\})?/g, "1")
      .replaceAll(/:label(\{[^}]*\})?/g, "stable")
      .replaceAll(/:file(\{[^}]*\})?|:\w+(\{[^}]*\})?/g, "swagger-ui.css");
    known.set(`${method} ${filled}`, { method, path: filled });
  }
  return [...known.values()];
}

/** Routes with a body get anything as their body; the others long queries and headers. */
export function routeRecipes(): Recipe[] {
  return routesOfApp().map(({ method, path }) =>
    method === "POST" || method === "PUT"
      ? {
          name: `${method} ${path}`,
          genes: {
            ...CONTENT_GENES,
            type: ["application/json", "text/csv", "application/octet-stream", "image/png"],
          },
          make(genes) {
            const body = content(genes, "{}");
            if (body === undefined) return undefined;
            return {
              kind: path,
              method,
              path,
              headers: [["Content-Type", String(genes["type"])]],
              body: Buffer.from(body),
            };
          },
        }
      : {
          name: `${method} ${path}`,
          genes: {
            query: [0, 14_000],
            item: ["a=1&", "%41", "&", "a", "=", "%ff", "+"],
            header: [
              "accept",
              "accept-encoding",
              "if-none-match",
              "cache-control",
              "traceparent",
              "x-request-id",
              "authorization",
              "origin",
              "x-forwarded-for",
              "range",
            ],
            value: ["a,", '"a", ', "*;q=0.1,", " ", "gzip;q=0.5,", "W/"],
            length: [0, 14_000],
          },
          make: ({ query, item, header, value, length }) => ({
            kind: path,
            method,
            path: `${path}?${String(item).repeat(Number(query) / String(item).length)}`,
            headers: [
              [
                String(header),
                String(value)
                  .repeat(Number(length) / String(value).length)
                  .trim(),
              ],
            ],
          }),
        },
  );
}
