import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { beginPost } from "../harness/unfinished-post.ts";

// order.test.ts has the same of a Node server. A Lambda function gets whole requests alone.
test("on Workers, a request whose body is cut off or late leaves one line", async () => {
  const target = await targets.worker({});
  onTestFinished(() => target.stop());
  const begin = (id: string, more = {}) =>
    beginPost(new URL("/v1/models/iris/predict", target.url), "{", {
      "X-Request-Id": id,
      "Content-Length": "5000",
      ...more,
    });
  const late = begin("late", { "X-Request-Timeout-Ms": "100" });
  expect(await late.status).toBe(504);
  late.leave();
  const cut = begin("cut");
  const end = expect(cut.status).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 300));
  cut.leave();
  await end;
  const logged = () =>
    [...target.logs().matchAll(/"requestId":"(late|cut)".*"status":(\d+)/g)].map(
      ([, id, status]) => `${id} ${status}`,
    );
  await expect.poll(logged).toEqual(["late 504", "cut 400"]);
});
