import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startS3 } from "../../cli/local/s3-server.ts";
import type { Batch, Joining } from "../../functions/batches/batch.ts";
import { createBatchStore } from "../../functions/batches/batch-store.ts";
import { readAnswers, writeLines } from "../../functions/batches/chunk.ts";
import { dropWritings, joinLines, type Lines } from "../../functions/batches/join-lines.ts";
import { openInput } from "../../functions/batches/stored-source.ts";
import type { Store } from "../../functions/model/store.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createS3Store } from "../../functions/platform/store/s3.ts";
import { KEYS } from "../harness/dynamodb.ts";

const GENERATION = crypto.randomUUID();
const NAME = `${"a".repeat(64)}.${GENERATION}`;
const OBJECT = ".batches/own/in.csv";
const timeoutMs = 10_000;

function begun({ joining }: Batch): Joining {
  if (!joining) throw new Error("Nothing is joined.");
  return joining;
}

async function openFolder(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-join-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return createFolderStore(folder);
}

async function openS3(): Promise<Store> {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  const s3 = await startS3({ buckets: ["models"] });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await s3.close();
  });
  const { endpoint } = s3;
  return createS3Store({ bucket: "models", prefix: "", endpoint, forcePathStyle: true });
}

const lineOf = (size: number, chunk: number) =>
  size === 0 ? "" : `${String(chunk).padEnd(size - 1, "x")}\n`;

/** A batch whose chunks are answered, with so many bytes of output and of errors in each. */
async function answered(store: Store, sizes: [output: number, errors: number][], isUpload = false) {
  const own = createBatchStore(store, timeoutMs);
  const [output, errors] = [0, 1].map((what) =>
    sizes.map((both, chunk) => lineOf(both[what] ?? 0, chunk)),
  ) as [string[], string[]];
  for (let chunk = 0; chunk < sizes.length; chunk++) {
    const lines = [[output[chunk] ?? ""], [errors[chunk] ?? ""]] as const;
    const bytes = writeLines({ completed: 1, failed: 1 }, ...lines);
    await own.write(NAME, `out-${chunk}`, bytes);
    await own.advance(NAME, chunk, readAnswers(bytes).counts);
  }
  const batch = {
    id: "mine",
    generation: GENERATION,
    status: "running",
    input: isUpload ? { parts: "part-x", size: 1, partBytes: 1 } : { object: OBJECT, size: 1 },
    cut: { chunks: sizes.length, rows: sizes.length },
  } as Batch;
  await own.create(NAME, batch);
  const places = { own, store, timeoutMs };
  const step = () => joinLines(NAME, places);
  async function all(): Promise<Lines> {
    for (let steps = 1; steps < 20; steps++) {
      const found = await step();
      if (!("retryAfterSeconds" in found)) return found;
    }
    return expect.unreachable("It does not end.");
  }
  const read = async (lines: Lines["output"]) => {
    if (!lines) return "";
    const source = openInput(lines, NAME, places);
    return new TextDecoder().decode(await source.slice(0, source.size));
  };
  return { own, step, all, read, output: output.join(""), errors: errors.join(""), places };
}

describe.each([
  ["a folder", openFolder],
  ["S3", openS3],
])("lines of a batch over an object in %s", (_, open) => {
  test("few are an object beside the input, and of no errors there is none", async () => {
    const store = await open();
    const { all, output } = await answered(store, [
      [10, 0],
      [20, 0],
    ]);
    const lines = await all();
    expect(lines).toEqual({ output: { object: `${OBJECT}.mine.output.jsonl`, size: 30 } });
    const found = await store.get(`${OBJECT}.mine.output.jsonl`);
    expect(found && found !== "not-modified" && String(Buffer.from(found.bytes))).toBe(output);
    expect(await store.list(".batches/own/")).toHaveLength(1);
  });

  test("many are written in parts, in several steps, and what ended in between changes nothing", async () => {
    const store = await open();
    // More chunks than one step joins, and parts in both steps.
    const sizes = Array.from({ length: 300 }, (__, chunk): [number, number] => [
      40_000,
      chunk % 100 === 0 ? 50 : 0,
    ]);
    const { own, all, step, read, output, errors } = await answered(store, sizes);
    // Of two at once, one waits.
    const both = await Promise.all([step(), step()]);
    expect(both.map((found) => "retryAfterSeconds" in found && found.retryAfterSeconds)).toContain(
      0,
    );
    const lines = await all();
    expect(await read(lines.output)).toBe(output);
    expect(await read(lines.errors)).toBe(errors);
    // A process ended before it could tell: the objects are the batch's own.
    await own.change(NAME, (one) => ({ ...one, joining: { ...begun(one), until: 0 } }));
    expect(await all()).toEqual(lines);
  });

  test("another object there is not written over", async () => {
    const store = await open();
    const { all } = await answered(store, [[10, 0]]);
    await store.put(`${OBJECT}.mine.output.jsonl`, new TextEncoder().encode("somebody's"));
    await expect(all()).rejects.toThrow(/another object .*in\.csv\.mine\.output\.jsonl already/);
  });
});

test("those of an upload are parts below the batch", async () => {
  const store = await openFolder();
  const sizes = Array.from({ length: 300 }, (): [number, number] => [20_000, 100]);
  const { all, read, output, errors } = await answered(store, sizes, true);
  const lines = await all();
  expect(lines.output).toMatchObject({ parts: "output", size: output.length });
  expect(await read(lines.output)).toBe(output);
  expect(await read(lines.errors)).toBe(errors);
  expect(await store.list(".batches/")).toEqual([]);
});

test("what is written of an object that will not be is removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-join-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const sizes = Array.from({ length: 300 }, (): [number, number] => [40_000, 0]);
  const { own, step, places } = await answered(createFolderStore(folder), sizes);
  await step();
  const files = () => readdir(join(folder, ".batches/own"));
  expect(await files()).toHaveLength(1);
  const batch = await own.read(NAME);
  await dropWritings({ ...(batch as Batch), status: "canceled" }, places);
  expect(await files()).toEqual([]);
});

test("parts that another process has written over are written anew", async () => {
  const store = await openS3();
  const sizes = Array.from({ length: 300 }, (): [number, number] => [40_000, 0]);
  const { own, all, step, read, output } = await answered(store, sizes);
  await step();
  await own.change(NAME, (one) => {
    const joining = begun(one);
    return { ...one, joining: { ...joining, output: { ...joining.output, tags: ['"other"'] } } };
  });
  expect(await read((await all()).output)).toBe(output);
  expect((await own.read(NAME))?.joining?.restarts).toBe(1);
});
