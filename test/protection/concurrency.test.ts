import { expect, onTestFinished, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets } from "../harness/targets.ts";
import { beginPost } from "../harness/unfinished-post.ts";

const PATH = "/v1/models/iris/predict";
const BODY = '{"inputs":[5.1,3.5,1.4,0.2]}';

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
