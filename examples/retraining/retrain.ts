import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { askAndJudge } from "./clients.ts";
import { createMaker, FEATURES, toCsv } from "./flowers.ts";
import { must, run, startServer } from "./run.ts";

const python = process.env["PYTHON"] ?? ".venv/bin/python";
const port = process.env["PORT"] ?? "8790";
const url = `http://localhost:${port}`;
const store = "work/store";
const server = { STORE: store, PORT: port, RELEASE_TTL_SECONDS: "1", ROLLOUT_WATCH_SECONDS: "1" };
const nearcast = (...args: string[]) => must("nearcast", args);

await rm("work", { recursive: true, force: true });
for (const folder of [store, "work/models"]) await mkdir(folder, { recursive: true });
const flowers = createMaker(1);

heading("Version 1 is trained on last year's flowers, and released");
await writeFile("work/train.csv", toCsv(flowers(600)));
await addVersion("1", ["work/train.csv"]);
await nearcast("push", "flowers@1", "--models", "work/models", "--to", store, "--release");

let running = await startServer(server);
try {
  heading("This year's flowers come: petals are larger by a third");
  const before = await askAndJudge(url, flowers(600, { petals: 1.35 }), "shifted");
  console.log(`version 1 is right in ${percent(before)}`);
  await nearcast("accuracy", "flowers", "--url", url);
  const drift = await run("nearcast", ["drift", "flowers", "--url", url, "--fail"]);
  if (drift.code === 0) throw new Error("Nothing has shifted: there is nothing to do.");

  heading("Captured flowers, with what they were, become training data");
  // A server writes what it captured once a minute, and when it ends.
  await running.stop();
  running = await startServer(server);
  await nearcast("dataset", "flowers", "--store", store, "--out", "work/captured.csv");
  await splitCaptured();

  heading("Version 2 is trained on old and new flowers, and must be better on new ones");
  await addVersion("2", ["work/train.csv", "work/new.csv"]);
  const models = ["--models", "work/models", "--data", "work/heldout.csv"];
  await nearcast("eval", "flowers@2", ...models);
  await nearcast("gate", "flowers@2", "--against", "flowers@1", "--min-gain", "0.05", ...models);
  await nearcast("push", "flowers@2", "--models", "work/models", "--to", store);

  heading("Version 2 is rolled out under load, watched, and promoted");
  const steps = ["--steps", "25,50,100", "--every", "1s", "--min-requests", "100"];
  await nearcast("rollout", "flowers@2", ...steps, "--store", store);
  const trial = { goesOn: true };
  const watch = nearcast(
    "rollout",
    "watch",
    "flowers",
    "--every",
    "1s",
    "--url",
    url,
    "--store",
    store,
  ).finally(() => (trial.goesOn = false));
  for (let batch = 0; trial.goesOn; batch++)
    await askAndJudge(url, flowers(50, { petals: 1.35 }), `rollout-${batch}`);
  await watch;
  await nearcast("promote", "flowers", "--store", store, "--why", "this year's flowers");
  await nearcast("status", "flowers", "--store", store);

  heading("Everybody gets version 2");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const after = await askAndJudge(url, flowers(600, { petals: 1.35 }), "after");
  console.log(`version 1 was right in ${percent(before)}, version 2 is in ${percent(after)}`);
  if (after <= before) throw new Error("Version 2 is no better.");
} finally {
  await running.stop();
}

/** Trains a version, and makes a package of it that keeps what it is asked. */
async function addVersion(version: string, tables: readonly string[]): Promise<void> {
  const file = `work/flowers-${version}.onnx`;
  await must(python, ["train.py", file, ...tables]);
  const models = ["--models", "work/models"];
  await nearcast("add", file, "--name", "flowers", "--features", FEATURES.join(","), ...models);
  const path = `work/models/flowers/${version}/model.json`;
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const capture = { rate: 1, redact: [], retentionDays: 30 };
  const kept = { ...manifest, feedback: { keptSeconds: 86_400 }, capture };
  await writeFile(path, JSON.stringify(kept, undefined, 2));
  await nearcast("baseline", `flowers@${version}`, "--data", tables.at(-1) ?? "", ...models);
  await nearcast("verify", `flowers@${version}`, "--record", ...models);
}

/** What the gate judges by must be new to the model. */
async function splitCaptured(): Promise<void> {
  const [header = "", ...rows] = (await readFile("work/captured.csv", "utf8")).trim().split("\r\n");
  const table = (some: readonly string[]) => `${[header, ...some].join("\n")}\n`;
  await writeFile("work/heldout.csv", table(rows.filter((_, at) => at % 4 === 0)));
  await writeFile("work/new.csv", table(rows.filter((_, at) => at % 4 !== 0)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function heading(text: string): void {
  console.log(`\n# ${text}`);
}
