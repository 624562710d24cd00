import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { targets, type StartTarget, type Target } from "../harness/targets.ts";
import { get, post } from "./platforms.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const BASKET = ["85123A", "20725"];
const SEVEN = join(import.meta.dirname, "../../models/digits/seven.png");

const env = {
  ALIASES:
    "/v1/sentiment:sentiment,/recommend:retail,/analyze_image:digits,/flowers:iris,/vectors:search,/nobody:nobody",
};

/** What front ends of tutorials ask at paths of their own. */
export function aliasSuite(platforms: [name: string, start: StartTarget][]): void {
  describe.each(platforms)("aliases on %s", (_name, start) => {
    let server: Target;
    beforeAll(async () => void (server = await start({ env })));
    afterAll(() => server?.stop());

    const native = async (model: string, inputs: unknown, parameters = {}) =>
      (await post(server, `/v1/models/${model}/predict`, { inputs, parameters })).body["outputs"];

    test("a text has its label by the path's name", async () => {
      const { body, headers } = await post(server, "/v1/sentiment", { text: "I love it" });
      const { label, score } = (await native("sentiment", "I love it")) as Record<string, unknown>;
      expect(body).toEqual({
        text: "I love it",
        sentiment: label,
        prediction: label,
        confidence: score,
        predicted_class: label,
        class_names: expect.arrayContaining(["positive", "negative"]),
      });
      expect(label).toBe("positive");
      expect(headers.get("x-model-name")).toBe("sentiment");
    });

    test("a text has its vector", async () => {
      const { body } = await post(server, "/vectors", { text: "candle" });
      expect(body).toEqual({ text: "candle", embedding: await native("search", "candle") });
    });

    test.each([{ items: BASKET }, { product_ids: BASKET, top_k: 3 }, { basket: BASKET, limit: 1 }])(
      "a basket, %j",
      async (body) => {
        const top_k = body.top_k ?? body.limit ?? 10;
        const answer = await post(server, "/recommend", body);
        expect(answer.body).toEqual({ recommendations: await native("retail", BASKET, { top_k }) });
        expect(answer.body["recommendations"]).toHaveLength(top_k);
      },
    );

    test("an image in a form, under any name, and by its bytes", async () => {
      const form = new FormData();
      form.append("image", new Blob([await readFile(SEVEN)], { type: "image/png" }), "seven.png");
      const { headers, body } = new Response(form);
      const type = { "Content-Type": headers.get("content-type") ?? "" };
      const bytes = await new Response(body).bytes();
      const answers = [
        await server.fetch("/analyze_image", { method: "POST", headers: type, body: bytes }),
        await server.fetch("/analyze_image", {
          method: "POST",
          headers: { "Content-Type": "image/png" },
          body: new Uint8Array(await readFile(SEVEN)),
        }),
      ];
      for (const answer of answers)
        expect(await answer.json()).toMatchObject({
          prediction: "7",
          confidence: expect.any(Number) as number,
          predicted_class: "7",
        });
    });

    test("features, and the task's own inputs", async () => {
      const { body } = await post(server, "/flowers", { features: FLOWER });
      expect(body).toMatchObject({ prediction: "setosa", predicted_class: "setosa" });
      const own = await post(server, "/flowers", { inputs: [FLOWER], parameters: { top_k: 1 } });
      expect(own.body).toEqual({ predictions: await native("iris", [FLOWER], { top_k: 1 }) });
    });

    test.each<[string, unknown, number, RegExp]>([
      ["/v1/sentiment", {}, 422, /^text must be a string/],
      ["/v1/sentiment", { text: "a", lang: "en" }, 422, /^lang is not known beside text/],
      ["/v1/sentiment", { inputs: "a", text: "b" }, 422, /^text is not known beside inputs/],
      ["/v1/sentiment", ["a"], 422, /^body must be an object/],
      ["/recommend", { user: 7 }, 422, /^body must have one of items/],
      ["/recommend", { items: BASKET, basket: BASKET }, 422, /^body must have one of items/],
      ["/recommend", { items: BASKET, colour: "red" }, 422, /^colour is not known beside items/],
      ["/recommend", { items: BASKET, top_k: "3" }, 422, /top_k/],
      ["/analyze_image", { file: "seven.png" }, 422, /^inputs is missing/],
      ["/flowers", { features: [1] }, 422, /^features/],
      ["/nobody", { text: "a" }, 404, /nobody/],
    ])("%s refuses %j with %i", async (path, body, status, message) => {
      const answer = await post(server, path, body);
      expect(answer.status).toBe(status);
      expect(answer.body["error"]).toMatch(message);
    });

    test("the description of the API has them, and each takes POST alone", async () => {
      const { body } = await get(server, "/openapi.json");
      expect(body["paths"]).toHaveProperty("/recommend.post");
      expect((await server.fetch("/recommend")).status).toBe(405);
    });
  });
}

export const ALIAS_PLATFORMS = Object.entries(targets);
