import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { targets, type Target } from "../harness/targets.ts";
import {
  answersOf,
  endOf,
  expectAnswered,
  expectEmbedded,
  expectOwnAnswers,
  flowerLines,
  HEADER,
} from "./flowers.ts";

const ROWS = 20;
const FOLDER = ".batches/anonymous";

let worker: Target;
beforeAll(async () => {
  worker = await targets.worker({
    queues: true,
    env: { MAX_BATCH: `${ROWS}`, MAX_FILE_BYTES: "400000", JOB_CONCURRENCY: "4" },
  });
});
afterAll(() => worker.stop());

const fetch = (path: string, init?: RequestInit) => worker.fetch(path, init);
const locationOf = (made: Response) => {
  expect(made.status).toBe(202);
  return made.headers.get("location") ?? "";
};
const ofObject = (object: string) =>
  fetch("/v1/batches", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "iris", input: { object } }),
  });
const upload = (type: string, body: string | Uint8Array) =>
  fetch("/v1/batches?model=iris", {
    method: "POST",
    headers: { "Content-Type": type },
    body: body as BodyInit,
  });

test("an object of the bucket is cut in several invocations, and answered as calls are", async () => {
  // More chunks than one invocation cuts.
  const lines = flowerLines(270 * ROWS);
  await worker.store.put(`${FOLDER}/nightly/flowers.csv`, HEADER + lines.join(""));
  const location = locationOf(await ofObject("nightly/flowers.csv"));
  const answers = await answersOf(fetch, lines, ROWS);
  await expectAnswered(fetch, location, { lines, answers });
  // No chunk waits any more.
  const left = [...(await worker.store.texts(".jobs/")).keys()];
  expect(left.filter((key) => key.includes("/in-"))).toEqual([]);
});

test("outputs are an object beside the input, written in parts where they are long", async () => {
  const texts = Array.from({ length: 2400 }, (_, row) => `${JSON.stringify(`lamp ${row}`)}\n`);
  await worker.store.put(`${FOLDER}/texts.jsonl`, texts.join(""));
  const made = await fetch("/v1/batches/texts", {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ model: "search", input: { object: "texts.jsonl" } }),
  });
  const location = locationOf(made);
  expect(await endOf(fetch, location)).toMatchObject({
    status: "succeeded",
    counts: { completed: texts.length, failed: 0 },
    output_object: "texts.jsonl.texts.output.jsonl",
  });
  const output = await (await fetch(`${location}/output`)).text();
  expect(output.length).toBeGreaterThan(5.5 * 1024 * 1024);
  expect(output.match(/\n/g)).toHaveLength(texts.length);
  const objects = await worker.store.texts(`${FOLDER}/texts.jsonl.`);
  expect([...objects]).toEqual([[`${FOLDER}/texts.jsonl.texts.output.jsonl`, output]]);
  const headers = { Range: `bytes=${5 * 1024 * 1024 - 2}-${5 * 1024 * 1024 + 1}` };
  const part = await fetch(`${location}/output`, { headers });
  expect([part.status, await part.text()]).toEqual([
    206,
    output.slice(5 * 1024 * 1024 - 2, 5 * 1024 * 1024 + 2),
  ]);
});

test("uploads of CSV, JSONL and Parquet give the same outputs", async () => {
  const rows = Array.from({ length: 45 }, (_, row) => [5, 3, 1 + row / 10, 0.2]);
  const names = HEADER.trimEnd().split(",");
  const columnData = names.map((name, column) => {
    return { name, data: rows.map((row) => row[column] ?? 0), type: "DOUBLE" as const };
  });
  const outputs: string[] = [];
  for (const [type, body] of [
    ["text/csv; header=absent", rows.map((row) => `${row.join(",")}\n`).join("")],
    ["application/jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join("")],
    ["application/vnd.apache.parquet", new Uint8Array(parquetWriteBuffer({ columnData }))],
  ] as const) {
    const location = locationOf(await upload(type, body));
    expect(await endOf(fetch, location)).toMatchObject({
      status: "succeeded",
      counts: { completed: rows.length },
    });
    outputs.push(await (await fetch(`${location}/output`)).text());
  }
  expect(new Set(outputs).size).toBe(1);
  expect(outputs[0]?.match(/"label"/g)).toHaveLength(rows.length);
});

test("a row group that an isolate cannot hold is refused", async () => {
  // Numbers that nothing compresses.
  const data = Array.from({ length: 700_000 }, (_, row) => Math.imul(row, 0x9e3779b1));
  const columnData = ["sepal_length", "sepal_width"].map((name) => ({
    name,
    data,
    type: "INT32" as const,
  }));
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: data.length }));
  await worker.store.put(`${FOLDER}/large.parquet`, bytes);
  const location = locationOf(await ofObject("large.parquet"));
  const batch = await endOf(fetch, location);
  expect(batch.status).toBe("failed");
  expect(batch.error?.detail).toMatch(/row group of 700000 rows.*smaller row groups/);
});

test("an upload over the limit is refused, with the advice to name an object", async () => {
  const refused = await upload("text/csv", HEADER + "5.1,3.5,1.4,0.2\n".repeat(26_000));
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    code: "body_too_large",
    detail: expect.stringMatching(/at most 400000 bytes.*input\.object/) as string,
  });
});

test("a batch waits while the bucket fails as chunks' answers are written, and goes on", async () => {
  const lines = flowerLines(200);
  worker.store.behave("down", /\/out-[35]$/);
  const location = locationOf(await upload("text/csv", HEADER + lines.join("")));
  await expect.poll(() => worker.logs()).toContain("a job waits for its store");
  worker.store.behave("ok");
  const answers = await answersOf(fetch, lines, ROWS);
  await expectAnswered(fetch, location, { lines, answers });
});

test("a removed batch leaves nothing", async () => {
  const location = locationOf(await upload("text/csv", `${HEADER}5.1,3.5,1.4,0.2\n`));
  await endOf(fetch, location);
  const before = await worker.store.texts(".jobs/");
  expect((await fetch(location, { method: "DELETE" })).status).toBe(200);
  expect((await fetch(location)).status).toBe(404);
  expect((await worker.store.texts(".jobs/")).size).toBeLessThan(before.size);
});

test("a batch that is removed and made again at once has its own answers", () =>
  expectOwnAnswers(fetch, ROWS));

test("a batch of OpenAI's kind is answered", () => expectEmbedded(fetch));
