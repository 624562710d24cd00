import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { defineDialect } from "../../functions/dialects/define.ts";
import { answerJson } from "../../functions/http/answer.ts";
import { readBody } from "../../functions/http/body.ts";
import type { AppEnv } from "../../functions/http/exchange.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import {
  copyIris,
  deploy,
  SECRET,
  served,
  serveFetch,
  SMALL_MB,
  useServed,
} from "./deployments.ts";

const PATH = "/v2/models/iris/infer";
const keep = useServed();

/** A flower in binary behind so many bytes of JSON, beginning `gap` bytes behind a multiple of 4. */
function binaryBody(gap: number, length = 5.1): { body: Buffer; headers: Record<string, string> } {
  const input = {
    name: "features",
    datatype: "FP32",
    shape: [1, 4],
    parameters: { binary_data_size: 16 },
  };
  let json = JSON.stringify({ inputs: [input] });
  while (json.length % 4 !== gap) json += " ";
  const tensor = Buffer.from(Float32Array.of(length, 3.5, 1.4, 0.2).buffer);
  return {
    body: Buffer.concat([Buffer.from(json), tensor]),
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(json.length),
    },
  };
}

/** A store with an iris whose features may be missing. */
async function mayBeMissing(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-bodies-"));
  await copyIris(models, "1");
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
  const features = manifest.features?.map((feature) => ({ ...feature, missing: -999 }));
  await writeFile(path, JSON.stringify({ ...manifest, features }));
  await writeFile(join(models, "iris/release.json"), '{"stable": "1"}');
  return models;
}

test("binary bodies are forwarded as they came, wherever their tensors begin and whatever is missing", async () => {
  const seen: Buffer[] = [];
  const STORE = await mayBeMissing();
  const app = deploy({ STORE, SPILL_SECRET: SECRET });
  const region = await keep(
    serveFetch({
      fetch: async (path, init) => {
        seen.push(Buffer.from(init?.body as Uint8Array));
        return app.request(path, init);
      },
    }),
  );
  const spills = { STORE, SPILL_URL: region, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
  const edge = await keep(served(getRequestListener(deploy(spills).fetch)));
  for (const gap of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const { body, headers } = binaryBody(gap % 4, gap < 4 ? 5.1 : NaN);
    const answered = await fetch(edge + PATH, { method: "POST", headers, body: new Uint8Array(body) }); // oxfmt-ignore
    expect([answered.status, answered.headers.get("x-nearcast-spillover")]).toEqual([
      200,
      "region",
    ]);
    expect(await answered.text()).toContain('"model_name":"iris"');
    expect(seen.at(-1)?.equals(body)).toBe(true);
  }
});

test("an edge reads bodies as anybody does: it holds no second copy of a picture or of tensors", async () => {
  const reading = defineDialect({
    name: "reading",
    paths: ["/reading"],
    routes: () =>
      new Hono<AppEnv>().post("/reading", async (c) => {
        const body = await readBody(c, { maxBytes: Infinity, now: undefined });
        return answerJson(c, c.get("exchange").body?.buffer === body.buffer);
      }),
  });
  const edge = deploy({ SPILL_URL: "http://region.invalid", SPILL_SECRET: SECRET }, { dialects: [reading] }); // oxfmt-ignore
  const picture = new Uint8Array(await readFile("models/digits/seven.png"));
  const { body, headers } = binaryBody(1);
  for (const [own, fields] of [
    [picture, { "Content-Type": "image/png" }],
    [new Uint8Array(body), headers],
  ] as const) {
    const answer = await edge.request("/reading", { method: "POST", headers: fields, body: own });
    expect(await answer.json()).toBe(true);
  }
});
