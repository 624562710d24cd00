import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { createBatchingSession } from "../../functions/runtime/batching.ts";
import { createNativeRuntime } from "../../functions/runtime/onnxruntime-node.ts";
import type { Session } from "../../functions/runtime/types.ts";
import { createProcessPool } from "../../functions/runtime/process-pool.ts";
import type { Tensor, Tensors } from "../../functions/tensor.ts";
import { startNodeServer } from "../harness/node-server.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const MAX_ROWS = 16;

function int32(...data: number[]): Tensor {
  return { datatype: "INT32", shape: [data.length], data: Int32Array.from(data) };
}

/** Rows of numbers and of texts, to an Identity of each. */
function mixed(rows: number, seed: number): Tensors {
  const numbers = Array.from({ length: rows }, (_, row) => seed * 100 + row);
  return {
    number: {
      datatype: "FP32",
      shape: [rows, 2],
      data: Float32Array.from(numbers.flatMap((number) => [number, -number])),
    },
    count: { datatype: "INT64", shape: [rows, 1], data: BigInt64Array.from(numbers.map(BigInt)) },
    flag: { datatype: "BOOL", shape: [rows], data: Uint8Array.from(numbers, (n) => n % 2) },
    text: { datatype: "BYTES", shape: [rows], data: numbers.map((number) => `é${number}`) },
  };
}

function steps(rows: number, seed: number): Tensors {
  const data = Float32Array.from({ length: rows * 16 }, (_, index) => Math.sin(seed + index));
  return { x: { datatype: "FP32", shape: [rows, 16], data } };
}

/** Counts what a session is asked for. */
function counted(session: Session): { session: Session; rows: number[] } {
  const rows: number[] = [];
  return {
    rows,
    session: {
      ...session,
      run(feeds, outputNames) {
        rows.push(Object.values(feeds)[0]?.shape[0] ?? 0);
        return session.run(feeds, outputNames);
      },
    },
  };
}

const load = (model: string) =>
  createNativeRuntime({ threads: 1 }).load({ path: join(fixtures, model, "1/model.onnx") });

const options = { maxRows: MAX_ROWS, parallel: 1 };
const MIXED = ["number_out", "count_out", "flag_out", "text_out"];
const size = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) },
  fc.constant(MAX_ROWS + 1),
);
const sizes = fc.array(size, { minLength: 1, maxLength: 20 });
const outputChoices = fc.constantFrom(MIXED, ["text_out"], ["count_out", "number_out"]);

let plain: Record<"mixed" | "steps" | "divide", Session>;
beforeAll(async () => {
  const [a, b, c] = await Promise.all(
    ["identity/mixed", "batching/steps", "breaking/divide"].map(load),
  );
  plain = { mixed: a as Session, steps: b as Session, divide: c as Session };
});

test("any mix of runs at once gives each exactly what it gives alone", async () => {
  const { session, rows } = counted(plain.mixed);
  const batching = createBatchingSession(session, options);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(99), outputChoices)), sizes, async (asked, row) => {
      runs += asked.length;
      const calls = asked.map(
        ([seed, names], index) => [mixed(row[index % row.length] ?? 1, seed), names] as const,
      );
      const results = await Promise.all(calls.map((call) => batching.run(...call)));
      for (const [index, call] of calls.entries())
        expect(results[index]).toEqual(await plain.mixed.run(...call));
    }),
    { numRuns: 40 },
  );
  expect(rows.length).toBeLessThan(runs * 0.8);
  expect(Math.max(...rows.filter((count) => count <= MAX_ROWS))).toBeGreaterThan(3);
});

test("joined rows of matrix products agree with each alone to 1e-6", async () => {
  const batching = createBatchingSession(plain.steps, options);
  const calls = Array.from({ length: 30 }, (_, index) => steps(1 + (index % 3), index));
  const results = await Promise.all(calls.map((feeds) => batching.run(feeds, ["y"])));
  for (const [index, feeds] of calls.entries()) {
    const alone = (await plain.steps.run(feeds, ["y"]))["y"] as Tensor;
    const joint = results[index]?.["y"] as Tensor;
    expect(joint.shape).toEqual(alone.shape);
    for (const [at, value] of (alone.data as Float32Array).entries())
      expect(Math.abs(value - Number(joint.data[at]))).toBeLessThan(1e-6);
  }
});

test("a row that fails is its own caller's affair", async () => {
  const batching = createBatchingSession(plain.divide, options);
  const runs = Array.from({ length: 8 }, (_, index) =>
    batching.run({ a: int32(6 * index), b: int32(index === 5 ? 0 : 3) }, ["y"]),
  );
  for (const [index, result] of (await Promise.allSettled(runs)).entries())
    if (index === 5)
      expect(result).toMatchObject({
        reason: { message: expect.stringMatching(/division by zero/) as string },
      });
    else expect(result).toMatchObject({ value: { y: { data: Int32Array.of(2 * index) } } });
});

test("in processes too, where a deadly row ends some of them and fails alone", async () => {
  const pool = createProcessPool({
    workers: 2,
    threads: 1,
    memoryBytes: 2 ** 32,
    log: () => undefined,
  });
  const loaded = await pool.load({ path: join(fixtures, "breaking/divide/1/model.onnx") });
  const batching = createBatchingSession(loaded, { maxRows: MAX_ROWS, parallel: 2 });
  // It is the last of seven. With more rows, or earlier, it would be divided as part of a vector, which
  // does no harm.
  const runs = Array.from({ length: 7 }, (_, index) => {
    const [a, b] = index === 6 ? [-2147483648, -1] : [6 * index, 3];
    return batching.run({ a: int32(a ?? 0), b: int32(b ?? 0) }, ["y"]);
  });
  for (const [index, result] of (await Promise.allSettled(runs)).entries())
    if (index === 6) expect(result).toMatchObject({ reason: { code: "runtime_failed" } });
    else expect(result).toMatchObject({ value: { y: { data: Int32Array.of(2 * index) } } });
});

test("runs of different owners are not joined", async () => {
  const together: number[][] = [];
  const session: Session = {
    ...plain.mixed,
    run(feeds, outputNames) {
      together.push(Array.from(feeds["count"]?.data as BigInt64Array, Number));
      return plain.mixed.run(feeds, outputNames);
    },
  };
  const batching = createBatchingSession(session, options);
  // The rows of owner n count from 100 n.
  const runs = Array.from({ length: 12 }, (_, index) =>
    batching.run(mixed(1, index % 3), MIXED, `owner ${index % 3}`),
  );
  await Promise.all(runs);
  for (const counts of together)
    expect(new Set(counts.map((count) => Math.floor(count / 100))).size).toBe(1);
  expect(together.length).toBe(3);
});

test("callers of different keys, and versions, are different owners", async () => {
  const keys = ["one", "two"].map((name) => ({ name, key: `a key of ${name}` }));
  const platform = createNodePlatform({
    STORE: join(fixtures, "../../models"),
    ACCESS_LOG: "false",
    API_KEYS: JSON.stringify(
      keys.map(({ name, key }) => ({ name, sha256: sha256(key), scopes: ["predict"] })),
    ),
  });
  const owners: (string | undefined)[] = [];
  const app = createApp(
    createService({
      ...platform,
      prepareSession: (_manifest, session) => ({
        ...session,
        run(feeds, outputNames, owner) {
          owners.push(owner);
          return session.run(feeds, outputNames);
        },
      }),
    }),
  );
  for (const path of ["/v1/models/iris/predict", "/v1/models/iris/versions/1/predict"])
    for (const { key } of keys) {
      const answer = await app.request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-API-Key": key },
        body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      });
      expect(answer.status).toBe(200);
    }
  expect(owners).toEqual(["one iris/1", "two iris/1", "one iris/1", "two iris/1"]);
});

test("a run alone goes alone, and nothing waits for company", async () => {
  const { session, rows } = counted(plain.mixed);
  const batching = createBatchingSession(session, options);
  for (let turn = 0; turn < 3; turn++) await batching.run(mixed(1, turn), MIXED);
  expect(rows).toEqual([1, 1, 1]);
});

test.each(["0", "2"])(
  "over HTTP with WORKERS=%s each caller gets its own rows",
  async (workers) => {
    const server = await startNodeServer({
      env: {
        STORE: join(fixtures, "identity"),
        WORKERS: workers,
        DYNAMIC_BATCHING: "mixed:16,gather:16",
        // A busy machine refuses some of sixty requests at once. That is not tested here.
        MAX_QUEUE_MS: "60000",
      },
    });
    const ask = async (model: string, inputs: unknown) => {
      const response = await server.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs }),
      });
      return { status: response.status, body: (await response.json()) as { outputs: unknown } };
    };
    try {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          index % 4 === 3
            ? ask("gather", { index: [index % 8 === 3 ? 1 : 7] })
            : ask("mixed", {
                number: [[index, 1]],
                count: [[index]],
                flag: [true],
                text: [`text ${index}`],
              }),
        ),
      );
      for (const [index, { status, body }] of answers.entries())
        if (index % 8 === 7) expect(status).toBe(422);
        else if (index % 4 === 3) expect(body.outputs).toEqual({ value: [20] });
        else
          expect(body.outputs).toMatchObject({ text_out: [`text ${index}`], count_out: [[index]] });
    } finally {
      await server.stop();
    }
  },
);
