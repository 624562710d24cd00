import { Hono, type MiddlewareHandler } from "hono";
import { NearcastError } from "../errors.ts";
import { openapiDocument } from "../openapi/document.ts";
import { PAGE_ASSETS, type PageAsset } from "../platform/types.ts";
import type { AppEnv } from "./exchange.ts";
import { answer, answerJson } from "./answer.ts";
import { matches } from "./entity-tag.ts";
import { answeringModels } from "../model/released-models.ts";
import type { Dialect } from "../dialects/define.ts";
import type { Service } from "../service.ts";
import { VERSION } from "../version.ts";

/** The page's files are in a folder beside it, or in its own folder when its address ends with a slash. */
const page = (keyField: string, folder: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nearcast API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${folder}swagger-ui.css">
${keyField}<div id="api"></div>
<script src="${folder}swagger-ui-bundle.js"></script>
<script src="${folder}start.js"></script>
</html>
`;

// Swagger UI has a field for a key only after it has loaded the description, which may need the key.
const KEY_FIELD = `<label style="display: block; margin: 1em; font-family: sans-serif">API key or token
<input id="key" type="password" autocomplete="off" spellcheck="false" size="50" autofocus>
and Enter, to read the description and to try it: the key stays in this page.</label>
`;

const START = `const field = document.getElementById("key");
const url = new URL("../openapi.json", document.currentScript.src).href;
const open = () => SwaggerUIBundle({
  url,
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor(request) {
    if (field?.value) request.headers["Authorization"] = "Bearer " + field.value.trim();
    return request;
  },
});
if (field) field.addEventListener("change", open);
else open();
`;

// Swagger UI sets style attributes, and its icons are data: URLs.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Finds gzip in an `Accept-Encoding`, unless its weight is 0. */
const GZIP = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i;

const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

const MEDIA_TYPES: Record<PageAsset, string> = {
  "swagger-ui.css": CSS,
  "swagger-ui-bundle.js": JAVASCRIPT,
  "playground.css": CSS,
  "playground.js": JAVASCRIPT,
};

/** `GET /docs`: a page to read and try the API, and the files of all pages. It is open even where callers need a key. */
export function pageRoutes(
  { platform }: Pick<Service, "platform">,
  limit: MiddlewareHandler<AppEnv>,
) {
  const keyField = platform.config.auth.mode === "required" ? KEY_FIELD : "";
  const html = (url: string) => page(keyField, new URL(url).pathname.endsWith("/") ? "" : "docs/");

  const routes = new Hono<AppEnv>()
    .get("/docs", limit, (c) =>
      answer(c, html(c.req.url), {
        "Content-Type": "text/html; charset=UTF-8",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
      }),
    )
    .get("/docs/start.js", limit, (c) => answer(c, START, { "Content-Type": "text/javascript" }));
  for (const name of PAGE_ASSETS)
    routes.get(`/docs/${name}`, limit, async (c) => {
      const { headers: own, wrapped } = c.get("exchange");
      // In an app around this one, workerd would compress the response again.
      const takesGzip = !wrapped && GZIP.test(c.req.header("accept-encoding") ?? "");
      const found = await platform.asset(name, { takesGzip });
      if (!found) throw new NearcastError("not_found", `There is nothing at ${c.req.path}.`);
      const headers = {
        "Cache-Control": "public, max-age=86400",
        ETag: found.etag,
        Vary: "Accept-Encoding",
      };
      if (matches(c.req.header("if-none-match"), found.etag)) {
        if (found.body instanceof ReadableStream) await found.body.cancel();
        return c.newResponse(null, 304, { ...own, ...headers });
      }
      return answer(c, found.body, {
        ...headers,
        "Content-Type": MEDIA_TYPES[name],
        ...(found.isGzip && { "Content-Encoding": "gzip" }),
      });
    });
  return routes;
}

/** `GET /openapi.json`, made from the dialects and from the models that are released now. */
export function documentationRoutes(
  { platform, registryFor }: Pick<Service, "platform" | "registryFor">,
  dialects: readonly Dialect[],
  open: ReadonlySet<string>,
) {
  const secured = platform.config.auth.mode === "required";
  const hasJobs = platform.jobs !== undefined;
  const hasFiles = platform.jobs !== undefined;
  const hasWebhooks = hasJobs && platform.config.webhooks.hosts.length > 0;

  return new Hono<AppEnv>().get("/openapi.json", async (c) => {
    const registry = registryFor(c.get("exchange").caller, "read");
    const models = await answeringModels(registry);
    return answerJson(
      c,
      openapiDocument(models, dialects, {
        version: VERSION,
        secured,
        open,
        hasJobs,
        hasFiles,
        hasWebhooks,
      }),
    );
  });
}
