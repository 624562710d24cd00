import { expect, test } from "vitest";
import { expectClose } from "../harness/close.ts";
import type { StartTarget } from "../harness/targets.ts";
import { bertPackage, emptyStore, fixture, writePackage } from "./service.ts";

interface Row {
  text: string;
  mean: number[];
}

const expected = JSON.parse(Buffer.from(await fixture("bert/expected.json")).toString()) as Row[];
const models = await emptyStore();
await writePackage(models, await bertPackage());

/** Weights and tokenizer come from a real bucket through the local tier, cold and after a restart. */
export function answersLikePython(start: StartTarget): void {
  test("a BERT-shaped model with weights of its own gives Python's vectors", async () => {
    const target = await start({ models });
    try {
      const ask = async () => {
        const response = await target.fetch("/v1/models/bert/predict", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ inputs: expected.map(({ text }) => text) }),
        });
        const text = await response.text();
        expect(response.status, text).toBe(200);
        const { outputs } = JSON.parse(text) as { outputs: number[][] };
        const vectors = expected.map(({ mean }) => mean);
        expectClose(outputs, vectors, 1e-4);
      };
      await ask();
      await ask();
      await target.restart();
      await ask();
    } finally {
      await target.stop();
    }
  });
}
