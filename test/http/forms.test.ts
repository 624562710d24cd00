import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, PLATFORMS, post } from "../dialects/platforms.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";

interface FormCase {
  name: string;
  contentType: string;
  body: string;
  files?: number;
  topK?: number;
  refused?: string;
}

const { cases } = JSON.parse(
  await readFile(new URL("../fixtures/multipart/recorded.json", import.meta.url), "utf8"),
) as { cases: FormCase[] };

const PREDICT = "/v1/models/digits/predict";

describe.each(inThisFile(PLATFORMS))("multipart forms on %s", (_name, start) => {
  let server: Target;
  let image: string;
  beforeAll(async () => {
    server = await start();
    const digits = (await get(server, "/v1/models/digits")).body;
    [{ input: image }] = digits["examples"] as [{ input: string }];
  });
  afterAll(() => server?.stop());

  async function send(contentType: string, body: Buffer) {
    const response = await server.fetch(PREDICT, {
      method: "POST",
      headers: { "Content-Type": contentType },
      body: new Uint8Array(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  test.each(cases)("$name", async ({ contentType, body, files, topK, refused }) => {
    const answer = await send(contentType, Buffer.from(body, "base64"));
    if (refused !== undefined) {
      expect(answer.status).toBeOneOf([400, 422]);
      expect(answer.body["detail"]).toContain(refused);
      return;
    }
    const inputs = files === 1 ? image : Array<string>(files ?? 0).fill(image);
    const parameters = topK === undefined ? {} : { top_k: topK };
    const expected = await post(server, PREDICT, { inputs, parameters });
    expect(expected.status).toBe(200);
    expect(answer.body["outputs"]).toEqual(expected.body["outputs"]);
  });

  test("more files than a request may have are refused before they are decoded", async () => {
    const part = '--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n';
    const form = Buffer.from(`${part.repeat(20_000)}--XX--\r\n`);
    const { status, body } = await send("multipart/form-data; boundary=XX", form);
    expect(status).toBe(422);
    expect(body["detail"]).toMatch(/inputs must have at most \d+ files/);
  });
});
