import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createDeferred } from "../../functions/deferred.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets } from "../harness/targets.ts";
import { beginPost } from "../harness/unfinished-post.ts";

const MODELS = join(import.meta.dirname, "../../models");
const PATH = "/v1/models/iris/predict";
const BODY = '{"inputs":[5.1,3.5,1.4,0.2]}';

// A request waits for the store. `GET /v1/models/{name}` reads it.
test("of more GETs at once than MAX_CONCURRENCY the rest is 503, and health and predictions are answered", async () => {
  let waiting = 0;
  const open = createDeferred<void>();
  const platform = createNodePlatform({ STORE: MODELS, MAX_CONCURRENCY: "3", ACCESS_LOG: "false" });
  const service = createService({
    ...platform,
    store: {
      ...platform.store,
      async list(prefix) {
        waiting += 1;
        await open.promise;
        return platform.store.list(prefix);
      },
    },
  });
  const app = createApp(service);
  const statuses: number[] = [];
  const ask = async (path: string) => (await app.request(path)).status;
  const gets = Array.from({ length: 10 }, async () => statuses.push(await ask("/v1/models")));
  await expect.poll(() => statuses).toEqual(Array(7).fill(503));
  expect(waiting).toBeGreaterThan(0);
  expect(await ask("/health")).toBe(200);
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: BODY };
  expect((await app.request(PATH, post)).status).toBe(200);
  expect(await ask("/docs")).toBe(503);
  open.resolve();
  await Promise.all(gets);
  expect(statuses.slice(7)).toEqual([200, 200, 200]);
  expect(await ask("/docs")).toBe(200);
});

// A Lambda environment has one request at a time. Others go to another environment.
test.each(inThisFile(["node", "worker"] as const))(
  "on %s, of more requests at once than MAX_CONCURRENCY the rest is 503 before its body is read",
  async (name) => {
    const target = await targets[name]({ env: { MAX_CONCURRENCY: "3" } });
    onTestFinished(() => target.stop());
    const url = new URL(PATH, target.url);
    const statuses: number[] = [];
    const posts = Array.from({ length: 10 }, () => beginPost(url, BODY.slice(0, 5)));
    const answers = posts.map(async (post) => statuses.push(await post.status));
    // Seven are refused before any body is whole. On a busy machine one of them may be refused as too slow (408).
    await expect.poll(() => statuses).toHaveLength(7);
    expect(statuses.filter((status) => status === 503 || status === 408)).toHaveLength(7);
    expect(statuses).toContain(503);
    expect((await target.fetch("/v1/models/iris")).status).toBe(200);
    for (const post of posts) post.finish(BODY.slice(5));
    await Promise.all(answers);
    expect(statuses.slice(7)).toEqual([200, 200, 200]);
    const refused = await target.fetch(PATH, { method: "POST", body: BODY });
    expect(refused.status).not.toBe(503);
  },
);
