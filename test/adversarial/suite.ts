import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processTree, residentMemory } from "../../bench/processes.ts";
import { filesOfModels } from "../../cli/local/models.ts";
import { expectClose } from "../harness/close.ts";
import type { StartTarget, Target } from "../harness/targets.ts";
import { makeAttack } from "./attacks.ts";
import { CALLER_ENV, CALLER_RATE_LIMITS } from "./caller.ts";
import { faultOf, faultOfRaw } from "./judge.ts";
import { describe, type Attack } from "./request.ts";
import { createSender, type Answer, type Sender } from "./send.ts";
import { examples, validBinary, validCsv, validJson } from "./valid-requests.ts";

const IDENTITY = join(import.meta.dirname, "../fixtures/identity");
const SEED = Number(process.env["SEED"] ?? 1);
const FIRST = Number(process.env["FIRST"] ?? 0);
const COUNT = Number(process.env["COUNT"] ?? 10_000);
const ROUND = 100;
/** Until then, caches and heaps have grown to what they need. */
const WARM = COUNT / 5;

/**
 * Of workerd's warnings one is foreseen: that nothing goes on for a request which ended while it waited for what
 * another computes.
 */
const UNFORESEEN =
  /"code":"internal"|Warning: (?!A promise was resolved or rejected from a different request context)/;

/**
 * Generated requests, `COUNT` from number `FIRST` of `SEED`, so many at once. `tolerance` is for the
 * known predictions against their manifests; after that they must not change by one byte.
 */
export function adversarial(start: StartTarget, { tolerance = 1e-5, atOnce = 8 } = {}): void {
  let target: Target;
  let sender: Sender;
  beforeAll(async () => {
    target = await start({
      rateLimits: CALLER_RATE_LIMITS,
      env: {
        ...CALLER_ENV,
        // So short that answers are kept ones and computed ones in turn.
        PREDICTION_CACHE_TTL_SECONDS: "1",
        PREDICTION_CACHE_MB: "4",
        DEFAULT_MODEL: "iris",
        // What one image may take at its peak would hide a growth.
        MAX_IMAGE_PIXELS: "250000",
        MAX_BODY_BYTES: "2000000",
        // Nothing may be refused for the load of the others.
        MAX_QUEUE_MS: "60000",
        REQUEST_TIMEOUT_MS: "25000",
      },
    });
    for (const key of await filesOfModels(IDENTITY))
      await target.store.put(key, await readFile(join(IDENTITY, key)));
    sender = createSender(target);
  });
  afterAll(async () => {
    sender?.close();
    await target?.stop();
  });

  async function known(request: Attack): Promise<string> {
    const { status, body } = await sender.send(request);
    expect(status, `${describe(request)}\n${body.toString()}`).toBe(200);
    // Cohere's API gives each answer an id of its own.
    return body.toString("latin1").replace(/^\{"id":"[0-9a-f-]{36}",/, "{");
  }

  async function attackWith(index: number, valid: ReadonlyMap<Attack, string>): Promise<void> {
    const attack = makeAttack(SEED, index);
    const again = `SEED=${SEED} FIRST=${index} COUNT=1`;
    if ("bytes" in attack) {
      if (!sender.sendRaw) return;
      const answers = await sender.sendRaw(attack);
      const fault = answers === undefined ? "was not answered" : faultOfRaw(answers);
      if (fault)
        throw new Error(`${again}\n${attack.bytes.toString("latin1")}\n${answers ?? ""} ${fault}`);
      return;
    }
    const answer = await sender.send(attack).catch((cause: unknown): Answer => {
      throw new Error(`${again}\n${describe(attack)}\nwas not answered`, { cause });
    });
    const fault = faultOf(attack, answer);
    if (fault)
      throw new Error(
        `${again}\n${describe(attack)}\n\n${answer.status} ${fault}: ${answer.body.toString().slice(0, 1000)}\n${target.logs().slice(-2000)}`,
      );
    // Every tenth is a good one among the others.
    if (index % 10 !== 0) return;
    const [request, expected] = [...valid][(index / 10) % valid.size] ?? [];
    if (request) expect(await known(request), `${again}, ${describe(request)}`).toBe(expected);
  }

  /** Of the isolate, or of all processes; NaN where there is no /proc. */
  async function memoryOf(processes: readonly number[]): Promise<number> {
    if (target.heapBytes) return target.heapBytes();
    const each = await Promise.all(processes.map(residentMemory));
    return each.reduce((sum, { now }) => sum + now, 0);
  }

  test(
    `${COUNT} generated requests: each is answered, none with 500, and what is good stays right`,
    { timeout: 900_000 },
    async () => {
      for (const { request, output } of examples) {
        const { outputs } = JSON.parse(await known(request)) as { outputs: unknown };
        expectClose(outputs, output, tolerance);
      }
      const valid = new Map<Attack, string>();
      for (const request of [...validJson, ...validBinary, validCsv])
        valid.set(request, await known(request));
      const processes = await started();
      let warm = 0;
      for (let round = FIRST; round < FIRST + COUNT; round += ROUND) {
        const indexes = Array.from(
          { length: Math.min(ROUND, FIRST + COUNT - round) },
          (_, index) => round + index,
        ).values();
        // Every worker takes from the same iterator.
        const worker = async () => {
          for (const index of indexes) await attackWith(index, valid);
        };
        await Promise.all(Array.from({ length: atOnce }, worker));
        for (const { request } of examples) expect(await known(request)).toBe(valid.get(request));
        if (warm === 0 && round + ROUND - FIRST >= WARM) warm = await memoryOf(processes);
      }
      expect(await started(), "no process was started anew").toEqual(processes);
      // What the service did not foresee it logs with its stack, whether or not somebody reads the answer.
      const unforeseen = target
        .logs()
        .split("\n")
        .filter((line) => UNFORESEEN.test(line));
      expect(unforeseen).toEqual([]);
      // Garbage that was not collected yet is no leak; without /proc there is nothing to compare.
      if (warm > 0 && COUNT >= 10_000) expect((await memoryOf(processes)) / warm).toBeLessThan(1.5);
    },
  );
}

/** The processes that this one started, and those that they did. */
async function started(): Promise<number[]> {
  return (await processTree(process.pid)).slice(1);
}
