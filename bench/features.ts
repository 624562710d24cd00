// `npm run bench -- --only features`: what it costs that the service looks up eight of ten features, in one process and
// without a network. The same predictions sent whole, looked up with a read each, and looked up in memory take turns.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../functions/app.ts";
import { createMemorySource } from "../functions/features/memory-source.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";
import { V8_FLAGS } from "../test/harness/node-server.ts";
import { childOptions, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { quantile, ratio, summary, type Record as Figures } from "./statistics.ts";

const FORMS = ["whole", "read", "kept"] as const;
type Form = (typeof FORMS)[number];
const BATCHES = [1, 10, 100, 1000];

/** Median microseconds of processor time of a call, by form. */
type Result = Record<Form, number> & { readsPerCall: number };

const SECONDS = 6;

export async function startFeatures() {
  return {
    async measure(record: Figures): Promise<void> {
      for (const rows of BATCHES) {
        const result = await runChild<Result>("features.ts", { rows }, SERVER_CORE, V8_FLAGS);
        for (const form of FORMS) record.add(`${rows} ${form}`, result[form]);
        record.add(`${rows} reads`, result.readsPerCall);
      }
    },
    stop: async () => undefined,
  };
}

export function featuresTables({ get }: Figures): Table[] {
  return [
    {
      title: "Features by entity id: processor time of a call, in µs",
      note: "diabetes in one process, without a network: eight of ten features are looked up in memory of the same process, with a read for each call or kept from an earlier one.",
      columns: ["inputs", "sent whole", "a read", "of whole", "kept", "of whole", "reads"],
      rows: BATCHES.map((rows) => {
        const of = (form: Form) => get(`${rows} ${form}`);
        return [
          String(rows),
          summary(of("whole"), 0),
          summary(of("read"), 0),
          summary(ratio(of("read"), of("whole")), 2),
          summary(of("kept"), 0),
          summary(ratio(of("kept"), of("whole")), 2),
          summary(get(`${rows} reads`), 0),
        ];
      }),
    },
  ];
}

const TURN_MS = 50;
const WARM_UP_MS = 3000;

if (import.meta.main) {
  const { rows } = childOptions() as { rows: number };
  const folder = await mkdtemp(join(tmpdir(), "nearcast-bench-"));
  try {
    console.log(JSON.stringify(await measure(folder, rows)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(folder: string, rows: number): Promise<Result> {
  const { names, example } = await writeModels(folder);
  const sent = new Set(names.slice(0, 2));
  const values = Object.fromEntries(names.filter((name) => !sent.has(name)).map((name) => [name, example[name]])); // oxfmt-ignore
  const stored = Array.from({ length: 1000 }, (_, id) => ({ keys: { patient: id }, values, at: Date.now() })); // oxfmt-ignore
  const source = createMemorySource("patients", stored);
  let reads = 0;
  const counting: typeof source = {
    name: source.name,
    read(...asked) {
      reads += 1;
      return source.read(...asked);
    },
  };
  const platform = createNodePlatform({ STORE: folder, ACCESS_LOG: "false" });
  const app = createApp(createService(platform, { sources: [counting] }));
  const given = Object.fromEntries(names.slice(0, 2).map((name) => [name, example[name]]));
  const bodyOf = (row: (index: number) => object) => {
    const inputs = Array.from({ length: rows }, (_, index) => row(index));
    return new TextEncoder().encode(JSON.stringify({ inputs: rows === 1 ? inputs[0] : inputs }));
  };
  const keyed = bodyOf((patient) => ({ patient, ...given }));
  const bodies = { whole: bodyOf(() => example), read: keyed, kept: keyed };
  const ask = async (form: Form) => {
    const body = bodies[form];
    const headers = { "content-type": "application/json", "content-length": String(body.length) };
    const answer = await app.request(`/v1/models/${form}/predict`, {
      method: "POST",
      headers,
      body,
    });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${form} answered ${answer.status}`);
  };
  for (const form of FORMS)
    for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) await ask(form);
  const times: Record<Form, number[]> = { whole: [], read: [], kept: [] };
  const calls = { whole: 0, read: 0, kept: 0 };
  reads = 0;
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end;)
    for (const form of FORMS) {
      const begun = process.cpuUsage();
      let count = 0;
      for (const turnEnd = performance.now() + TURN_MS; performance.now() < turnEnd; count++)
        await ask(form);
      const { user, system } = process.cpuUsage(begun);
      times[form].push((user + system) / count);
      calls[form] += count;
    }
  const median = (form: Form) => quantile(times[form], 0.5);
  return {
    whole: median("whole"),
    read: median("read"),
    kept: median("kept"),
    readsPerCall: reads / calls.read,
  };
}

/** The same model three times: without a lookup, with one that keeps nothing, and with one that keeps values. */
async function writeModels(folder: string) {
  const own = join(import.meta.dirname, "../models/diabetes/1");
  const manifest = JSON.parse(await readFile(join(own, "model.json"), "utf8")) as {
    features: { name: string }[];
    examples: { input: Record<string, unknown> }[];
  };
  const names = manifest.features.map(({ name }) => name);
  for (const form of FORMS) {
    await mkdir(join(folder, form), { recursive: true });
    await cp(own, join(folder, form, "1"), { recursive: true });
    const lookup = {
      source: "patients",
      keys: [{ name: "patient", type: "integer" }],
      features: names.slice(2).map((name) => ({ name })),
      cacheSeconds: form === "read" ? 0 : 3600,
    };
    const changed = { ...manifest, name: form, ...(form !== "whole" && { lookup }) };
    await writeFile(join(folder, form, "1/model.json"), JSON.stringify(changed));
    await writeFile(join(folder, form, "release.json"), '{"stable": "1"}');
  }
  return { names, example: manifest.examples[0]?.input ?? {} };
}
