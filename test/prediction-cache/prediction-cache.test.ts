import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createDeferred } from "../../functions/deferred.ts";
import { createPhases } from "../../functions/observe/phases.ts";
import { createMemoryCache } from "../../functions/platform/cache/memory.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createCachedRuns } from "../../functions/prediction-cache/cached-runs.ts";
import { readEntry, writeEntry } from "../../functions/prediction-cache/entry.ts";
import { keyOf, type Question } from "../../functions/prediction-cache/key.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { Recording } from "../../functions/observe/recording.ts";
import { DATATYPES, datatypeNames, type Tensors } from "../../functions/tensor.ts";

const outputs: Tensors = Object.fromEntries(
  datatypeNames.map((datatype) => {
    const { array } = DATATYPES[datatype];
    const data =
      datatype === "BYTES"
        ? ["", "é\n"]
        : new array(datatype.endsWith("INT64") ? ([1n, 0n] as never) : ([1, 0] as never));
    return [`${datatype} é`, { datatype, shape: [2, 1], data }];
  }),
);

test("outputs of every datatype come back as they were, and none is a view on what is kept", async () => {
  const entry = await writeEntry(outputs);
  expect(await readEntry(Buffer.concat([new Uint8Array(3), entry]).subarray(3))).toEqual(outputs);
  const read = await readEntry(entry);
  expect(read).toEqual(outputs);
  for (const { data } of Object.values(read ?? {}))
    if (!Array.isArray(data)) new Uint8Array(data.buffer).fill(0);
  expect(await readEntry(entry)).toEqual(outputs);
});

test("no entry with one bit or byte less than it had is an answer", async () => {
  const entry = await writeEntry({
    y: { datatype: "FP32", shape: [1], data: new Float32Array([1]) },
  });
  for (let byte = 0; byte < entry.byteLength; byte++) {
    const damaged = entry.slice();
    damaged[byte] = (damaged[byte] ?? 0) ^ 1;
    expect(await readEntry(damaged), `byte ${byte}`).toBeUndefined();
    expect(await readEntry(entry.subarray(0, byte)), `cut at ${byte}`).toBeUndefined();
  }
});

const inSteps = (windowsAtOnce: number) => ({ voice: { windowsAtOnce } }) as unknown as Manifest;

const question: Question = {
  artifact: { file: "model.onnx", sha256: "a", bytes: 1 },
  runtime: "native",
  outputNames: ["y"],
  feeds: { x: { datatype: "FP32", shape: [2], data: new Float32Array([1, 2]) } },
};

test("the order of inputs is of no matter", async () => {
  const tensor = { datatype: "INT8" as const, shape: [1], data: new Int8Array([1]) };
  const other = { ...tensor, data: new Int8Array([2]) };
  expect(await keyOf({ ...question, feeds: { a: tensor, b: other } })).toBe(
    await keyOf({ ...question, feeds: { b: other, a: tensor } }),
  );
});

test("no two questions have the same key", async () => {
  const ofBytes = (shape: number[], data: string[]) => ({
    ...question,
    feeds: { x: { datatype: "BYTES" as const, shape, data } },
  });
  const x = question.feeds["x"] as Tensors[string];
  const bits = new Uint32Array(new Float32Array([1, 2]).buffer);
  const questions: Question[] = [
    question,
    { ...question, artifact: { ...question.artifact, sha256: "b" } },
    {
      ...question,
      artifact: { ...question.artifact, externalData: [{ file: "w", sha256: "b", bytes: 1 }] },
    },
    { ...question, runtime: "wasm" },
    { ...question, outputNames: ["z"] },
    { ...question, outputNames: ["y", "z"] },
    { ...question, outputNames: ["z", "y"] },
    { ...question, steps: inSteps(1) },
    { ...question, steps: inSteps(2) },
    { ...question, feeds: { z: x } },
    { ...question, feeds: { x, z: x } },
    { ...question, feeds: { x: { ...x, shape: [1, 2] } } },
    { ...question, feeds: { x: { ...x, shape: [2, 1] } } },
    { ...question, feeds: { x: { ...x, data: new Float32Array([1, 3]) } } },
    { ...question, feeds: { x: { ...x, data: new Float32Array([0, 2]) } } },
    { ...question, feeds: { x: { ...x, data: new Float32Array([-0, 2]) } } },
    { ...question, feeds: { x: { datatype: "UINT32", shape: [2], data: bits } } },
    ofBytes([2], ["a", "bc"]),
    ofBytes([2], ["ab", "c"]),
    ofBytes([1], ["abc"]),
    ofBytes([2], ["abc", ""]),
  ];
  const keys = await Promise.all(questions.map(keyOf));
  expect(new Set(keys).size).toBe(questions.length);
});

test("memory keeps what fits, and the least recently used goes", async () => {
  const cache = createMemoryCache(2800);
  // What it takes to keep them counts too: three fit.
  const entry = new Uint8Array(300);
  for (const key of ["a", "b", "c"]) await cache.put(key, entry, 60);
  expect(cache.get("a")).toBe(entry);
  await cache.put("d", entry, 60);
  expect(["a", "b", "c", "d"].map((key) => cache.get(key) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ]);
  await cache.put("large", new Uint8Array(2500), 60);
  expect(cache.get("large")).toBeUndefined();
  expect(cache.get("a")).toBe(entry);
});

type Kept = Pick<Recording, "cache" | "phases">;
const newRecording = (): Kept => ({ phases: createPhases(undefined), cache: undefined });
const kept = { ttlSeconds: 60, isInSteps: false, directive: undefined };

test("what several ask while it is computed is computed once", async () => {
  const cachedRuns = createCachedRuns(createNodePlatform({}));
  const { feeds, outputNames } = question;
  const manifest = { artifact: question.artifact } as Parameters<typeof cachedRuns.ttlSeconds>[0];
  const answer = [{ y: outputs["FP32 é"] as Tensors[string] }];
  const recordings = [newRecording(), newRecording(), newRecording()];
  const begun = createDeferred<void>();
  const finished = createDeferred<void>();
  let computed = 0;
  const compute = async () => {
    computed += 1;
    begun.resolve();
    await finished.promise;
    return answer;
  };
  const ask = (recording: Kept) =>
    cachedRuns.outputs({ manifest, outputNames, runs: [{ feeds }], recording, compute, ...kept });
  const asked = recordings.map(ask);
  await begun.promise;
  finished.resolve();
  expect(await Promise.all(asked)).toEqual([answer, answer, answer]);
  expect(computed).toBe(1);
  // Which of them comes first is open.
  const misses = recordings.filter(({ cache }) => cache === "miss");
  const collapsed = recordings.filter(({ cache }) => cache === "collapsed");
  expect([misses.length, collapsed.length]).toEqual([1, 2]);
});

test("who waits for another's computation that fails computes it too", async () => {
  const cachedRuns = createCachedRuns(createNodePlatform({}));
  const { feeds, outputNames } = question;
  const manifest = { artifact: question.artifact } as Parameters<typeof cachedRuns.ttlSeconds>[0];
  const answer = [{ y: outputs["FP32 é"] as Tensors[string] }];
  const failing = createDeferred<Tensors[]>();
  const computing = createDeferred<void>();
  let computed = 0;
  const compute = () => {
    computed += 1;
    computing.resolve();
    return computed === 1 ? failing.promise : Promise.resolve(answer);
  };
  const recordings = [newRecording(), newRecording()];
  // Either may be the first: keys are made elsewhere.
  const asked = recordings.map((recording) =>
    cachedRuns.outputs({ manifest, outputNames, runs: [{ feeds }], recording, compute, ...kept }),
  );
  const settled = Promise.allSettled(asked);
  await computing.promise;
  await sleep(50); // The other one waits by then.
  failing.reject(new Error("out of time"));
  expect(await settled).toEqual(
    expect.arrayContaining([
      { status: "rejected", reason: new Error("out of time") },
      { status: "fulfilled", value: answer },
    ]),
  );
  expect(recordings.map(({ cache }) => cache)).toEqual(["miss", "miss"]);
});
