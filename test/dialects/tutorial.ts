import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Target } from "../harness/targets.ts";
import { frontEnd } from "./front-end.ts";
import { get, PLATFORMS, post } from "./platforms.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 6.3, sepal_width: 3.3, petal_length: 6, petal_width: 2.5 };
const CLASSES = ["setosa", "versicolor", "virginica"];

/** What the front ends of tutorials ask, on these platforms. */
export function tutorialSuite(platforms: typeof PLATFORMS): void {
  describe.each(platforms)("the front ends of tutorials on %s", (_name, start) => {
    let server: Target;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());

    test("each reads its own members of a prediction", async () => {
      const page = frontEnd(server.fetch);
      expect(await page.predictArray(FLOWER)).toBe("setosa (100.0 %)");
      expect(await page.predictNamed(NAMED)).toBe("virginica of setosa, versicolor, virginica");
    });

    test("a row, by an array and by names, and several rows", async () => {
      const expected = {
        prediction: "virginica",
        confidence: expect.any(Number) as number,
        predicted_class: "virginica",
        class_names: CLASSES,
      };
      const one = await post(server, "/predict", NAMED);
      expect(one.body).toEqual(expected);
      expect(one.headers.get("x-model-name")).toBe("iris");
      const values = Object.values(NAMED);
      expect((await post(server, "/predict", { features: values })).body).toEqual(one.body);
      expect((await post(server, "/predict", { features: NAMED })).body).toEqual(one.body);
      const several = await post(server, "/batch_predict", [{ features: values }, NAMED]);
      expect(several.body).toEqual({ predictions: [one.body, one.body] });
      const native = await post(server, "/v1/models/iris/predict", { inputs: NAMED });
      const { label, score } = native.body["outputs"] as Record<string, unknown>;
      expect([label, score]).toEqual([one.body["prediction"], one.body["confidence"]]);
    });

    test("a regression has its number", async () => {
      const { body } = await get(server, "/v1/models/diabetes");
      const [{ input, output }] = body["examples"] as [
        { input: object; output: { value: number } },
      ];
      const answer = await post(server, "/predict?model=diabetes", { features: input });
      expect(Object.keys(answer.body)).toEqual(["prediction"]);
      expect(answer.body["prediction"]).toBeCloseTo(output.value, 2);
    });

    test("the member inputs is text-embeddings-inference's at the same address", async () => {
      const { body } = await post(server, "/predict", { inputs: "I love it" });
      expect(body).toMatchObject([{ label: "positive" }, { label: "negative" }]);
      const both = await post(server, "/predict", { inputs: "I love it", features: FLOWER });
      expect(both).toMatchObject({ status: 422, body: { error: /features/ } });
    });

    test.each<[string, unknown, number, RegExp]>([
      ["/predict", { features: [5.1, 3.5] }, 422, /^features must/],
      ["/predict", { ...NAMED, petal_width: 99 }, 422, /^features\.petal_width must be at most/],
      ["/predict", { features: FLOWER, petal_width: 1 }, 422, /petal_width is not known/],
      ["/predict", { features: [FLOWER] }, 422, /^features must be one row/],
      ["/predict", [FLOWER], 422, /^body must be an object/],
      ["/predict?model=search", { features: FLOWER }, 422, /task/],
      ["/predict?model=nobody", { features: FLOWER }, 404, /no model/],
      ["/batch_predict", { features: FLOWER }, 422, /^body must be an array/],
      ["/batch_predict", [], 422, /^body must not be empty/],
      ["/batch_predict", [NAMED, { features: [1] }], 422, /^body\[1\]/],
    ])("%s refuses %.60j with %i", async (path, body, status, message) => {
      const answer = await post(server, path, body);
      expect(answer.status).toBe(status);
      expect(answer.body["error"]).toMatch(message);
    });

    test("the list of models is at /models too", async () => {
      expect((await get(server, "/models")).body).toEqual((await get(server, "/v1/models")).body);
    });
  });
}
