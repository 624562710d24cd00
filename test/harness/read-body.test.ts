import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { readBody } from "../../cli/local/read-body.ts";
import { beginPost } from "./unfinished-post.ts";

test("a body is read whole, or is nothing when its client left while it sent", async () => {
  const read: Promise<Buffer | undefined>[] = [];
  const server = createServer((request, response) => {
    read.push(readBody(request).finally(() => response.end()));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  const whole = beginPost(url, "[1, ");
  whole.finish("2]");
  expect(await whole.status).toBe(200);
  expect(String(await read[0])).toBe("[1, 2]");

  const left = beginPost(url, "[1, ");
  await expect.poll(() => read.length).toBe(2);
  left.leave();
  await expect(left.status).rejects.toThrow("socket hang up");
  expect(await read[1]).toBeUndefined();
});
