import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as ort from "onnxruntime-node";
import { startNodeServer, type NodeServer } from "../test/harness/node-server.ts";
import { sessionOptions } from "./bare/session-options.ts";
import { residentMemory } from "./processes.ts";
import type { Table } from "./report.ts";

const ROWS = 1_000_000;
const AT_ONCE = 1000;
const NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const LABELS = ["setosa", "versicolor", "virginica"];

interface Shown {
  status: string;
  counts: { total?: number; completed: number };
}

/** A million rows of iris as one batch, undisturbed and killed twice, as synchronous batches, and in a bare loop. */
export async function batches(): Promise<Table[]> {
  const file = irisFile(ROWS);
  const quarter = await asBatch(irisFile(ROWS / 4), []);
  const whole = await asBatch(file, []);
  const killed = await asBatch(file, [ROWS / 4, ROWS / 2]);
  const sync = await asRequests(file);
  const bare = await bareLoop(file);
  const rate = (seconds: number) => String(Math.round(ROWS / seconds / 100) * 100);
  const row = (what: string, seconds: number, memory: string) => [
    what,
    seconds.toFixed(1),
    rate(seconds),
    (bare / seconds).toFixed(2),
    memory,
  ];
  return [
    {
      title: "A file of 1,000,000 rows of iris on Node",
      note: `CSV of ${(file.length / 1024 ** 2).toFixed(0)} MiB. Batches: from the upload until the output is read. Requests: JSON of ${AT_ONCE} rows, one after the other, made from the CSV and read. Bare: onnxruntime-node with ${AT_ONCE} rows a run, from the CSV's text to lines of JSON. Memory: the server's resident MiB at the end of the upload, and the most afterwards; for a file of 250,000 rows ${quarter.memory.map((one) => one.toFixed(0)).join(", ")}. What a killed server held comes again after 30 s. The output of the batch that was killed twice (-9, at a quarter and at half of the rows) is ${killed.digest === whole.digest ? "byte for byte that" : "NOT that"} of the other.`,
      columns: ["how", "seconds", "rows a second", "of the bare loop", "memory"],
      rows: [
        row(
          "POST /v1/batches",
          whole.seconds,
          whole.memory.map((one) => one.toFixed(0)).join(", "),
        ),
        row(
          "the same, killed twice",
          killed.seconds,
          killed.memory.map((one) => one.toFixed(0)).join(", "),
        ),
        row("synchronous requests", sync.seconds, sync.memory.toFixed(0)),
        row("bare loop", bare, ""),
      ],
    },
  ];
}

function irisFile(rows: number): Uint8Array<ArrayBuffer> {
  const lines = Array.from(
    { length: rows },
    (_, row) =>
      `${4 + (row % 40) / 10},${2 + (row % 25) / 10},${1 + (row % 61) / 10},${(row % 26) / 10}\n`,
  );
  return new TextEncoder().encode(`${NAMES.join(",")}\n${lines.join("")}`);
}

/** Kills the server each time that so many rows are done. */
async function asBatch(file: Uint8Array<ArrayBuffer>, kills: readonly number[]) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-bench-batches-"));
  const env = {
    STORE: "models",
    JOBS_FILE: join(folder, "jobs.sqlite"),
    ACCESS_LOG: "false",
    SHUTDOWN_GRACE_MS: "0",
  };
  let server: NodeServer = await startNodeServer({ env });
  try {
    const begun = performance.now();
    const made = await server.fetch("/v1/batches/bench?model=iris", {
      method: "PUT",
      headers: { "Content-Type": "text/csv" },
      body: file,
    });
    if (made.status !== 202) throw new Error(await made.text());
    const memory = [(await residentMemory(server.pid)).now, 0];
    const left = [...kills];
    for (;;) {
      const shown = (await (await server.fetch("/v1/batches/bench")).json()) as Shown;
      memory[1] = Math.max(memory[1] ?? 0, (await residentMemory(server.pid)).now);
      if (shown.status === "succeeded") break;
      if (!["validating", "running"].includes(shown.status)) throw new Error(JSON.stringify(shown));
      if (shown.counts.completed >= (left[0] ?? Infinity)) {
        left.shift();
        process.kill(server.pid, "SIGKILL");
        await server.stop();
        server = await startNodeServer({ env });
      }
      await sleep(100);
    }
    const hash = createHash("sha256");
    const output = await server.fetch("/v1/batches/bench/output");
    for await (const piece of output.body ?? []) hash.update(piece);
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, memory, digest: hash.digest("hex") };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

async function asRequests(file: Uint8Array) {
  const server = await startNodeServer({ env: { STORE: "models", ACCESS_LOG: "false" } });
  try {
    const begun = performance.now();
    for (const rows of parsed(file)) {
      const inputs = rows.map((row) =>
        Object.fromEntries(row.map((value, column) => [NAMES[column], value])),
      );
      const answer = await server.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs }),
      });
      const { outputs } = (await answer.json()) as { outputs: unknown[] };
      if (outputs.length !== rows.length) throw new Error(`answered ${answer.status}`);
    }
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, memory: (await residentMemory(server.pid)).now };
  } finally {
    await server.stop();
  }
}

async function bareLoop(file: Uint8Array): Promise<number> {
  const session = await ort.InferenceSession.create("models/iris/1/model.onnx", sessionOptions);
  const [input = "", output = ""] = [session.inputNames[0], session.outputNames[0]];
  const begun = performance.now();
  let bytes = 0;
  for (const rows of parsed(file)) {
    const tensor = new ort.Tensor("float32", Float32Array.from(rows.flat()), [rows.length, 4]);
    const { data } = (await session.run({ [input]: tensor }))[output] as ort.Tensor;
    const scores = data as Float32Array;
    for (let row = 0; row < rows.length; row++) {
      const own = [...scores.subarray(3 * row, 3 * row + 3)];
      const best = own.indexOf(Math.max(...own));
      const named = Object.fromEntries(own.map((score, index) => [LABELS[index], score]));
      const line = JSON.stringify({ label: LABELS[best], score: own[best], scores: named });
      bytes += line.length;
    }
  }
  if (bytes === 0) throw new Error("nothing was answered");
  return (performance.now() - begun) / 1000;
}

function* parsed(file: Uint8Array): Generator<number[][]> {
  const lines = new TextDecoder().decode(file).trimEnd().split("\n");
  for (let start = 1; start < lines.length; start += AT_ONCE)
    yield lines.slice(start, start + AT_ONCE).map((line) => line.split(",").map(Number));
}
