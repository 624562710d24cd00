import { Hono, type MiddlewareHandler } from "hono";
import { html, raw } from "hono/html";
import { ANYONE } from "../auth/caller.ts";
import { exampleRequest } from "../model/example-request.ts";
import { answeringModels, type ReleasedModel } from "../model/released-models.ts";
import { shownDescription } from "../model/shown.ts";
import type { Service } from "../service.ts";
import { answer } from "./answer.ts";
import { baseOf, type AppEnv } from "./exchange.ts";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem; border: 1px solid; border-radius: .25rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .75rem; }
`;

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The most models on the page. The API has the whole list. */
const MOST_MODELS = 50;

/**
 * `GET /`: the models that are served, and a request that works. If keys are required, it says so and does not show the
 * models.
 */
export function landingRoutes(
  { platform, registryFor }: Pick<Service, "platform" | "registryFor">,
  limit: MiddlewareHandler<AppEnv>,
) {
  const isOpen = platform.config.auth.mode === "open";

  return new Hono<AppEnv>().get("/", limit, async (c) => {
    const models = isOpen ? await readModels() : [];
    const base = baseOf(c);
    const url = new URL(c.req.url).origin + base;
    const page = isOpen ? listed(models, url, base) : asked(base);
    return answer(c, String(await layout(page)), {
      "Content-Type": "text/html; charset=UTF-8",
      "Content-Security-Policy": POLICY,
    });
  });

  async function readModels(): Promise<ReleasedModel[]> {
    const registry = registryFor(ANYONE, "read");
    // Shows the page even if the store cannot be read.
    return answeringModels(registry).catch(() => []);
  }
}

type Html = ReturnType<typeof html>;

function layout(content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Nearcast</title>
      <style>
        ${raw(STYLE)}
      </style>
      <main>
        <h1>Nearcast</h1>
        ${content}
      </main>
    </html> `;
}

function asked(base: string): Html {
  return html`<p>
    This service answers machine learning models. It asks for a key or token: send
    <code>Authorization: Bearer …</code> or <code>X-API-Key</code>.
    <a href="${base}/docs">The API</a> has a box for it.
  </p>`;
}

function listed(models: readonly ReleasedModel[], url: string, base: string): Html {
  const manifests = models.map(({ manifest }) => manifest);
  const command = exampleRequest(url, manifests, { isKeyed: false });
  return html`<p>
      ${models.length === 0 ? "No model is released yet." : `${models.length} ${models.length === 1 ? "model answers" : "models answer"} here.`}
      Read and try <a href="${base}/docs">the API</a>, or take
      <a href="${base}/openapi.json">its description</a>.
    </p>
    ${command === undefined ? "" : html`<pre>${command}</pre>`}
    <dl>
      ${manifests.slice(0, MOST_MODELS).map(
        ({ name, version, task, description }) =>
          html`<dt><a href="${base}/v1/models/${name}">${name}</a> ${version}</dt>
            <dd>${task}. ${shownDescription(description)}</dd> `,
      )}
    </dl>
    ${models.length > MOST_MODELS ? html`<p><a href="${base}/v1/models">All of them</a></p>` : ""}`;
}
