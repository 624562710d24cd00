import { createOrt } from "#onnxruntime-web-factory";
import { readPredictJson } from "../../../../functions/http/predict-json.ts";
import { createDeadline } from "../../../../functions/load/deadline.ts";
import { tightened } from "../../../../functions/model/limits.ts";
import { manifestFields, type Manifest } from "../../../../functions/model/manifest.ts";
import { loadDecoder } from "../../../../functions/platform/bundled-decoders.ts";
import { createPredict } from "../../../../functions/predict.ts";
import { createWebRuntime } from "../../../../functions/runtime/onnxruntime-web.ts";
import { createTasks } from "../../../../functions/tasks/tasks.ts";
import { jsonPieces } from "../../../../functions/wire/json-pieces.ts";
import type { LoadMessage, PredictMessage } from "../messages.ts";
import { PAGE_LIMITS, PAGE_MEMORY_BYTES } from "./limits.ts";

const tasks = createTasks();

/** Makes a version ready to answer. Rejects with an Error when the page has no such task, or cannot load the graph. */
export async function loadVersion({ description, files, runtime }: LoadMessage) {
  const manifest = manifestOf(description);
  const limits = tightened(PAGE_LIMITS, manifest.limits);
  const task = tasks.of(manifest);
  const compiled = await tasks.compile(manifest, { limits, assets: files, loadDecoder });
  const bytesOf = ({ file }: { file: string }) => ({ bytes: files.get(file) ?? new Uint8Array() });
  const { externalData = [] } = manifest.artifact;
  const session = await createWebRuntime({
    createOrt,
    module: runtime,
    maxMemoryBytes: PAGE_MEMORY_BYTES,
  }).load(
    bytesOf(manifest.artifact),
    externalData.map((file) => ({ name: file.file, source: bytesOf(file) })),
  );
  const version = { manifest, task, compiled, limits, reason: "stable" as const };
  const predict = createPredict({
    resolve: async () => version,
    sessions: { acquire: async () => ({ session, end: () => undefined }) },
    timeoutMs: Infinity,
    now: undefined,
    tell: undefined,
    turns: undefined,
  });

  /** Answers as the native API does, with the same bytes of JSON. */
  return async function answer({ body, timeoutMs }: PredictMessage): Promise<string> {
    const deadline = createDeadline(timeoutMs, () => false);
    const { byteLength: bytes } = new TextEncoder().encode(body);
    const received = { bytes, sentBytes: bytes, milliseconds: undefined };
    const call = { ...readPredictJson(body), model: manifest.name, deadline, received };
    const { outputs } = await deadline.within(predict(call));
    return [...jsonPieces({ outputs })].join("");
  };
}

/** The manifest in a description, which has further members: the store's versions, and those of dialects. */
function manifestOf(description: object): Manifest {
  const known = description as Record<string, unknown>;
  const { options } = tasks.of({ task: String(known["task"]) });
  const names = [...Object.keys(manifestFields), ...Object.keys(options)];
  const own = Object.fromEntries(names.map((name) => [name, known[name]]));
  return tasks.parseManifest(JSON.stringify({ ...own, schema: 1 }));
}
