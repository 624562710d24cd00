import { Hono, type Context, type MiddlewareHandler } from "hono";
import { html } from "hono/html";
import { ANYONE } from "../auth/caller.ts";
import { exampleRequest } from "../model/example-request.ts";
import { answeringModels, type ReleasedModel } from "../model/released-models.ts";
import { shownDescription } from "../model/shown.ts";
import type { Service } from "../service.ts";
import { VERSION } from "../version.ts";
import { answer } from "./answer.ts";
import { baseOf, type AppEnv } from "./exchange.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The most models on the page. The API has the whole list. */
const MOST_MODELS = 50;

/**
 * `GET /` and `GET /playground/{model}`: a page to try the models that are served. Without JavaScript it lists them,
 * with a request that works. If keys are required, it does not name the models before it has one.
 */
export function playgroundRoutes(
  { platform, registryFor }: Pick<Service, "platform" | "registryFor">,
  limit: MiddlewareHandler<AppEnv>,
) {
  const isOpen = platform.config.auth.mode === "open";

  /** `up` leads to where the app is, if it does not know: behind a proxy that takes a prefix away. */
  async function page(c: Context<AppEnv>, up: string): Promise<Response> {
    const base = baseOf(c);
    const root = base ? `${base}/` : up;
    const url = new URL(c.req.url).origin + base;
    const content = isOpen ? listed(await readModels(), url, root) : asked(root);
    return answer(c, String(await layout(content, root)), {
      "Content-Type": "text/html; charset=UTF-8",
      "Content-Security-Policy": POLICY,
      "Referrer-Policy": "no-referrer",
    });
  }

  async function readModels(): Promise<ReleasedModel[]> {
    const registry = registryFor(ANYONE, "read");
    // Shows the page even if the store cannot be read.
    return answeringModels(registry).catch(() => []);
  }

  return new Hono<AppEnv>()
    .get("/", limit, (c) => page(c, "./"))
    .get("/playground/:model", limit, (c) =>
      page(c, new URL(c.req.url).pathname.endsWith("/") ? "../../" : "../"),
    );
}

type Html = ReturnType<typeof html>;

function layout(content: Html, root: string): Html {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Nearcast</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="${root}docs/playground.css?v=${VERSION}" />
      <script type="module" src="${root}docs/playground.js?v=${VERSION}"></script>
      <header>
        <h1><a href="${root}">Nearcast</a></h1>
        <a href="${root}docs">API</a>
      </header>
      <main id="playground">${content}</main>
    </html> `;
}

function asked(root: string): Html {
  return html`<p>
    This service answers machine learning models. It asks for a key or token: send
    <code>Authorization: Bearer &hellip;</code> or <code>X-API-Key</code>.
    <a href="${root}docs">The API</a> has a box for it.
  </p>`;
}

function listed(models: readonly ReleasedModel[], url: string, root: string): Html {
  const manifests = models.map(({ manifest }) => manifest);
  const command = exampleRequest(url, manifests, { isKeyed: false });
  return html`<p>
      ${models.length === 0 ? "No model is released yet." : `${models.length} ${models.length === 1 ? "model answers" : "models answer"} here.`}
      Read and try <a href="${root}docs">the API</a>, or take
      <a href="${root}openapi.json">its description</a>.
    </p>
    ${command === undefined ? "" : html`<pre>${command}</pre>`}
    <dl>
      ${manifests.slice(0, MOST_MODELS).map(
        ({ name, version, task, description }) =>
          html`<dt><a href="${root}v1/models/${name}">${name}</a> ${version}</dt>
            <dd>${task}. ${shownDescription(description)}</dd> `,
      )}
    </dl>
    ${models.length > MOST_MODELS ? html`<p><a href="${root}v1/models">All of them</a></p>` : ""}`;
}
