import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemorySource } from "../functions/features/memory-source.ts";
import type { FeatureSource } from "../functions/features/source.ts";

/** One model three times: without a lookup, with one that keeps nothing, and with one that keeps values. */
export const FORMS = ["whole", "read", "kept"] as const;
export type Form = (typeof FORMS)[number];

const ENTITIES = 1000;
/** How many different requests are sent in turn. */
const REQUESTS = 20;
/** So many of the features come from the caller: the first. */
export const SENT = 2;

/** Writes the models to a new folder. */
export async function writeFeatureModels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-bench-"));
  const { manifest, names } = await diabetes();
  for (const form of FORMS) {
    await cp(SHIPPED, join(folder, form, "1"), { recursive: true });
    const lookup = {
      source: "patients",
      keys: [{ name: "patient", type: "integer" }],
      features: names.slice(SENT).map((name) => ({ name })),
      cacheSeconds: form === "read" ? 0 : 3600,
    };
    const own = { ...manifest, name: form, ...(form !== "whole" && { lookup }) };
    await writeFile(join(folder, form, "1/model.json"), JSON.stringify(own));
    await writeFile(join(folder, form, "release.json"), '{"stable": "1"}');
  }
  return folder;
}

/** What the models look up, in memory, and how often it was read. */
export async function countedSource(): Promise<FeatureSource & { reads: number }> {
  const { names, example } = await diabetes();
  const values = Object.fromEntries(names.slice(SENT).map((name) => [name, example[name]]));
  const stored = Array.from({ length: ENTITIES }, (_, patient) => ({ keys: { patient }, values, at: Date.now() })); // oxfmt-ignore
  const table = createMemorySource("patients", stored);
  const source = {
    name: table.name,
    reads: 0,
    read(...asked: Parameters<FeatureSource["read"]>) {
      source.reads += 1;
      return table.read(...asked);
    },
  };
  return source;
}

/** The patients of each request with so many inputs. */
export function patientsOf(rows: number): number[][] {
  return Array.from({ length: REQUESTS }, (_, request) =>
    Array.from({ length: rows }, (_, at) => (request * rows + at) % ENTITIES),
  );
}

/** Requests with so many inputs each, for each form. */
export async function featureBodies(rows: number): Promise<Record<Form, string[]>> {
  const { names, example } = await diabetes();
  const given = Object.fromEntries(names.slice(0, SENT).map((name) => [name, example[name]]));
  const bodiesOf = (row: (patient: number) => object) =>
    patientsOf(rows).map((patients) => {
      const inputs = patients.map(row);
      return JSON.stringify({ inputs: rows === 1 ? inputs[0] : inputs });
    });
  const keyed = bodiesOf((patient) => ({ patient, ...given }));
  return { whole: bodiesOf(() => example), read: keyed, kept: keyed };
}

export const featureNames = async () => (await diabetes()).names;

const SHIPPED = join(import.meta.dirname, "../models/diabetes/1");

async function diabetes() {
  const manifest = JSON.parse(await readFile(join(SHIPPED, "model.json"), "utf8")) as {
    features: { name: string }[];
    examples: { input: Record<string, unknown> }[];
  };
  const names = manifest.features.map(({ name }) => name);
  return { manifest, names, example: manifest.examples[0]?.input ?? {} };
}
