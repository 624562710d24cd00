import { describe, expect, test } from "vitest";
import { openService } from "./counting-service.ts";
import { binaryTokens, FORMS, tokens } from "./token-requests.ts";

/** The shipped model takes texts of 128 tokens; its tokenizer never makes more. */
const MOST = 128;

describe("token ids that a client sends itself", () => {
  test.each(Object.keys(FORMS))("%s: a row has as many as a text may", async (form) => {
    const { ask, runs, calls } = openService();
    const { status, body } = await ask(...tokens(form, 1, 30_000));
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toMatch(
      /input_ids must have at most 128 tokens a row \(the manifest's text.maxLength\), has 30000/,
    );
    expect(calls.at(-1)).toMatchObject({ executed: false, error: { code: "invalid_input" } });
    expect(runs).toEqual([]);
    expect((await ask(...tokens(form, 1, MOST))).status).toBe(200);
  });

  test("they are counted as tokens, before the model runs", async () => {
    const { ask, calls, runs } = openService({ RATE_LIMIT: "30/60s" });
    expect((await ask(...tokens("v2", 100, MOST, ["none"]))).status).toBe(422);
    const refused = await ask(...tokens("v2", 31, MOST));
    expect([refused.status, refused.body["code"]]).toEqual([429, "rate_limited"]);
    expect(refused.body["detail"]).toMatch(
      /this request costs 31 \(31 rows, 3968 tokens, \d+ bytes\)/,
    );
    expect(runs).toEqual([]);
    await ask(...tokens("v2", 5, MOST));
    expect(calls.at(-1)).toMatchObject({ rows: 5, tokens: 5 * MOST, cost: 5 });
  });

  test("many rows are run as their texts would be, and answered as one tensor", async () => {
    const { ask, runs } = openService({ MAX_ANSWER_BYTES: "1e9" });
    const one = await ask(...tokens("v2", 1, MOST));
    const { status, body } = await ask(...tokens("v2", 100, MOST));
    expect(status).toBe(200);
    expect(runs.map(({ input_ids: ids }) => ids?.shape)).toEqual([
      [1, MOST],
      [64, MOST],
      [36, MOST],
    ]);
    const [output] = body["outputs"] as [{ shape: number[]; data: number[] }];
    expect(output.shape).toEqual([100, MOST, 128]);
    const [single] = one.body["outputs"] as [{ data: number[] }];
    expect(output.data.length).toBe(100 * MOST * 128);
    for (const row of [0, 63, 64, 99])
      expect(output.data[row * MOST * 128 + 5]).toBeCloseTo(single.data[5] as number, 5);
  });

  test("an answer that would be too large is refused before the model runs", async () => {
    const { ask, runs } = openService();
    const json = await ask(...tokens("v2", 60, MOST));
    expect([json.status, json.body["code"]]).toEqual([507, "answer_too_large"]);
    expect(json.body["detail"]).toMatch(/about 19660800 bytes; at most 16777216 are sent/);
    const binary = await ask(...binaryTokens(300, MOST));
    expect([binary.status, binary.body["code"]]).toEqual([507, "answer_too_large"]);
    expect(runs).toEqual([]);
    expect((await ask(...binaryTokens(200, MOST))).status).toBe(200);
  });
});
