import { createRegistry } from "../functions/model/registry.ts";
import { createSessions } from "../functions/model/sessions.ts";
import { createPhases } from "../functions/phases.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import type { Store } from "../functions/platform/types.ts";
import { ANYONE } from "../functions/access.ts";
import { createDeadline } from "../functions/deadline.ts";
import { createPredict } from "../functions/predict.ts";
import { createStatistics } from "../functions/statistics.ts";
import type { LocalPackage } from "./package-folder.ts";

export type RuntimeName = "native" | "wasm";

/** One local version on one runtime, behind the predict path that the functions have. */
export interface Predictor {
  /** Gets the runtime's code ready, so that `load` is ONNX Runtime's own work. */
  start(): Promise<void>;
  /** One answer for one input, an array of answers for an array of inputs. */
  predict(inputs: unknown, parameters?: unknown): Promise<unknown>;
  /** How long the last prediction waited for its session. */
  loadMilliseconds(): number;
  /** WASM memory in bytes; 0 on native. */
  memoryBytes(): Promise<number>;
}

/** Whoever runs the command has the machine: a model that is too large for a platform still loads here. */
export const SESSION_BUDGET_MB = 16_384;
const NO_DEADLINE = createDeadline(Infinity, () => false);

/** The predict path over a models folder, in which this version is the released one. */
export function openPredictor(
  { models, manifest: { name, version } }: LocalPackage,
  runtime: RuntimeName,
): Predictor {
  const node = createNodePlatform({
    STORE: models,
    RUNTIME: runtime,
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
  });
  const platform = { ...node, store: withRelease(node.store, name, version) };
  const registry = createRegistry(platform);
  const predict = createPredict({
    registryFor: () => registry,
    sessions: createSessions(platform, registry),
    statistics: createStatistics(),
    turns: undefined,
  });
  let phases = createPhases(platform.now);
  return {
    loadMilliseconds: () => phases.durations?.["load"] ?? 0,
    async start() {
      await platform.runtime();
    },
    async predict(inputs, parameters) {
      phases = createPhases(platform.now);
      return (
        await predict(
          { model: name, version, inputs, parameters },
          { phases, caller: ANYONE, deadline: NO_DEADLINE },
        )
      ).outputs;
    },
    memoryBytes: async () => (await platform.runtime()).memoryBytes?.() ?? 0,
  };
}

/** Before its first release a model has no `release.json`, and the registry knows no such model. */
export function withRelease(store: Store, name: string, version: string): Store {
  const bytes = new TextEncoder().encode(JSON.stringify({ stable: version }));
  return {
    ...store,
    get: async (key, options) =>
      key === `${name}/release.json` ? { bytes, etag: version } : store.get(key, options),
  };
}
