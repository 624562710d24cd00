import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { residentMemory } from "../../bench/processes.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { bertPackage, emptyStore, writePackage } from "./service.ts";

const TOKENS = 128;
const LONG = "a b c d ".repeat(TOKENS / 4);
/**
 * A run of 8,192 tokens takes some 60 MiB here, and malloc keeps that for each thread that runs: it levels off at 150. All
 * texts in one run would take 430 MiB, and an arena would keep 650.
 */
const MOST_MIB = 300;

test.skipIf(process.platform !== "linux")(
  "a batch of a thousand long texts takes and keeps little memory",
  async () => {
    const store = await emptyStore();
    onTestFinished(() => rm(store, { recursive: true }));
    const bert = await bertPackage();
    const text = { tokenizer: "tokenizer.json", maxLength: TOKENS, pooling: "mean" };
    await writePackage(store, { ...bert, manifest: { ...bert.manifest, text } });
    const server = await startNodeServer({ env: { STORE: store, ACCESS_LOG: "false" } });
    onTestFinished(async () => void (await server.stop()));
    const ask = async (texts: readonly string[]) => {
      const answer = await server.fetch("/v1/models/bert/predict", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: texts }),
      });
      const { outputs } = (await answer.json()) as { outputs: unknown[] };
      expect(outputs).toHaveLength(texts.length);
    };
    const small = async () => {
      for (let times = 0; times < 20; times++) await ask([LONG, "a b"]);
      return (await residentMemory(server.pid)).now;
    };
    const before = await small();
    const after: number[] = [];
    for (let times = 0; times < 8; times++) {
      await ask(Array.from({ length: 1000 }, () => LONG));
      after.push(await small());
    }
    const { peak } = await residentMemory(server.pid);
    for (const resident of after) expect(resident - before).toBeLessThan(MOST_MIB);
    expect(peak - before).toBeLessThan(MOST_MIB);
  },
  120_000,
);
