// Runs in the page of local-model.slow.test.ts, where both come from the packed package.
import { NearcastClientError } from "../../client/src/index.ts";
import {
  createLocalModel,
  type LocalModel,
  type LocalModelOptions,
  type LocalPredictOptions,
} from "../../client/src/browser/index.ts";

type Any = LocalModel<{ input: unknown; output: unknown; parameters: Record<string, unknown> }>;

/** The options that are JSON. */
export type Settings = Omit<Partial<LocalModelOptions>, "fetch" | "headers" | "wasmUrl">;

/** The codes that `onError` got. */
const told: string[] = [];
const onError = ({ code }: NearcastClientError) => void told.push(code);

const models = new Map<string, Any>();

/** What the tests call. Everything that it gives is JSON. */
const inPage = {
  open(id: string, url: string, name: string, options: Settings) {
    const files = { wasmUrl: "/ort.wasm", workerUrl: "/nearcast/worker.js" };
    models.set(id, createLocalModel(url, name, { ...files, onError, ...options }));
  },
  predict: (id: string, inputs: unknown, options?: LocalPredictOptions<Record<string, unknown>>) =>
    settled(async () => model(id).predict(inputs, options)),
  update: (id: string) => settled(async () => model(id).update()),
  told: () => told,
  close: (id: string) => model(id).close(),
  async cached() {
    const cache = await caches.open("nearcast");
    return (await cache.keys()).map(({ url }) => url);
  },
};

export type InPage = typeof inPage;

function model(id: string): Any {
  const found = models.get(id);
  if (!found) throw new Error(`${id} is not open`);
  return found;
}

async function settled<T>(work: () => Promise<T>) {
  try {
    return { answer: await work() };
  } catch (error) {
    if (!(error instanceof NearcastClientError)) return { thrown: String(error) };
    const { code, status, errors, detail } = error;
    return { code, status, errors, detail };
  }
}

Object.assign(globalThis, { inPage });
