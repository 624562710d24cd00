import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../functions/app.ts";
import type { FeatureRow, FeatureSource, StoredFeatures } from "../../functions/features/source.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService, type ServiceOptions } from "../../functions/service.ts";
import { writeColumns } from "../tasks/columns-model.ts";

export type LookupFields = Partial<NonNullable<Manifest["lookup"]>>;

/**
 * The model's features are `age`, `income`, `member` and `city`. `income` is what callers send. A busy machine may need
 * longer for a source than the usual second.
 */
const LOOKUP = {
  source: "customers",
  keys: [{ name: "customer_id", type: "integer" }],
  features: [{ name: "age" }, { name: "member" }, { name: "city" }],
  timeoutMs: 10_000,
} satisfies LookupFields;

/** Two customers, as of a minute ago. */
export function customers(at = Date.now() - 60_000): StoredFeatures[] {
  return [
    { keys: { customer_id: 42 }, values: { age: 30, member: true, city: "Oslo" }, at },
    { keys: { customer_id: 43 }, values: { age: 41, member: false, city: "Bergen" }, at },
  ];
}

/** A folder with the model `churn`, which looks up features, and `whole`, the same one without. */
export async function churnFolder(
  lookup: LookupFields = {},
  fields: Partial<Manifest> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeColumns(folder, "whole");
  await cp(join(folder, "whole"), join(folder, "churn"), { recursive: true });
  const path = join(folder, "churn/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const changed = { ...manifest, name: "churn", lookup: { ...LOOKUP, ...lookup }, ...fields };
  await writeFile(path, JSON.stringify(changed));
  return folder;
}

export interface Answer {
  status: number;
  headers: Headers;
  outputs: unknown;
  features: unknown;
  code: string;
  detail: string;
  errors: { path: string; message: string }[];
}

/** The service over the folder, with these sources. */
export function openChurn(
  folder: string,
  options: ServiceOptions = {},
  env: Record<string, string> = {},
) {
  const logs: Record<string, unknown>[] = [];
  const platform = { ...createNodePlatform({ STORE: folder, ...env }) };
  platform.log = (entry) => void logs.push(entry);
  const service = createService(platform, options);
  const app = createApp(service);
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers },
    });
  return {
    app,
    service,
    store: platform.store,
    logs,
    post,
    predict: async (inputs: unknown, headers?: Record<string, string>): Promise<Answer> => {
      const response = await post("/v1/models/churn/predict", { inputs }, headers);
      const body = (await response.json()) as Answer;
      return { ...body, status: response.status, headers: response.headers };
    },
    /** What the model answers when all features are sent. */
    whole: async (inputs: unknown): Promise<unknown> => {
      const response = await post("/v1/models/whole/predict", { inputs });
      return ((await response.json()) as Answer).outputs;
    },
  };
}

/** A source that counts its reads. */
export function counted(source: FeatureSource) {
  const reads: { entities: number; names: readonly string[] }[] = [];
  const counting: FeatureSource = {
    ...source,
    async read(entities, names, options) {
      reads.push({ entities: entities.length, names });
      return source.read(entities, names, options);
    },
  };
  return { source: counting, reads };
}

/** A source that does this instead of reading. */
export function acting(read: () => Promise<readonly FeatureRow[]>): FeatureSource {
  return { name: "customers", read };
}
