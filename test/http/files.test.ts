import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/node.ts";
import { createService } from "../../functions/service.ts";

const app = createApp(createService(createNodePlatform({ STORE: "models", AUTH: "none" })));
const bytes = new Uint8Array(1_000_000);

/** Of a file once for itself, and once in a form. */
async function refusals(model: string): Promise<unknown[]> {
  const path = `/v1/models/${model}/predict`;
  const form = new FormData();
  form.append("file", new Blob([bytes]), "a");
  const raw = { "Content-Type": "application/octet-stream" };
  const answers = [
    await app.request(path, { method: "POST", headers: raw, body: bytes }),
    await app.request(path, { method: "POST", body: form }),
  ];
  return Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]));
}

test.each(["iris", "diabetes", "sentiment", "search"])(
  "a file for %s, which takes none, is refused as one, and not byte by byte",
  async (model) => {
    for (const refusal of await refusals(model))
      expect(refusal).toEqual([
        422,
        expect.objectContaining({
          code: "invalid_input",
          errors: [
            { path: "inputs", message: expect.stringMatching(/is a file.*application\/json/) },
          ],
        }),
      ]);
  },
);
