import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { node20 } from "./harness/node-20.ts";
import { startNodeServer } from "./harness/node-server.ts";

const CASES: [datatype: string, element: string, answer: string][] = [
  ["INT64", "-42", "-42"],
  ["INT64", '"9223372036854775807"', "9223372036854775807"],
  ["FP32", "-0.0", "-0.0"],
  ["FP16", "0.5", "0.5"],
];

test.skipIf(!node20)(
  "the server answers long integers, negative zero and float16 on Node 20",
  async () => {
    const server = await startNodeServer({
      node: node20,
      env: { STORE: join(import.meta.dirname, "fixtures/identity"), ACCESS_LOG: "false" },
    });
    onTestFinished(async () => void (await server.stop()));
    for (const [datatype, element, expected] of CASES) {
      const model = datatype.toLowerCase();
      const data = `{"name":"x","datatype":"${datatype}","shape":[1,1,1],"data":[${element}]}`;
      const answer = await server.fetch(`/v2/models/${model}/infer`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: `{"inputs":[${data}]}`,
      });
      expect(await answer.text(), datatype).toContain(`"data":[${expected}]`);
      expect(answer.status).toBe(200);
    }
  },
);
