import { createLookUp } from "../functions/features/look-up.ts";
import { createSources } from "../functions/features/sources.ts";
import { createDeadline } from "../functions/load/deadline.ts";
import { prepare } from "../functions/load/prepare.ts";
import { startTally } from "../functions/features/tally.ts";
import { createPhases } from "../functions/observe/phases.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import type { Resolved } from "../functions/model/registry.ts";
import type { Store } from "../functions/model/store.ts";
import { createService } from "../functions/service.ts";
import { parseParameters, type Quantity, type Seen } from "../functions/tasks/define.ts";
import { APART_MS, nativeApart } from "./native-apart.ts";
import type { LocalPackage } from "./package-folder.ts";
import { loadProject } from "./project.ts";

export type RuntimeName = "native" | "wasm";

/** One local version on one runtime, behind the predict path that the functions have. */
export interface Predictor {
  /** Gets the runtime's code ready, so that `load` is ONNX Runtime's own work. */
  start(): Promise<void>;
  /** One answer for one input, an array of answers for an array of inputs. */
  predict(inputs: unknown, parameters?: unknown): Promise<unknown>;
  /** What the task measures for drift. */
  quantities(): Promise<readonly Quantity[]>;
  /** The answers to several inputs, and what they are measured by. */
  see(inputs: readonly unknown[], parameters?: Record<string, unknown>): Promise<Seen>;
  /** How long the last prediction waited for its session. */
  loadMilliseconds(): number;
  /** WASM memory in bytes; 0 on native. */
  memoryBytes(): Promise<number>;
}

/** The command may use the whole machine, so a model that is too large for a platform still loads here. */
export const SESSION_BUDGET_MB = 16_384;
const pathOf = (row: number) => `inputs[${row}]`;
const NO_DEADLINE = createDeadline(Infinity, () => false);

/**
 * The service over a models folder, in which this version is the released one. Native's models can run in a process of
 * their own, see {@link nativeApart}.
 */
export async function openPredictor(
  { models, manifest: { name, version } }: LocalPackage,
  runtime: RuntimeName,
  { apart = false } = {},
): Promise<Predictor> {
  const node = createNodePlatform({
    STORE: models,
    RUNTIME: runtime,
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
    // Examples and rows may send keys.
    FEATURE_SOURCES: process.env["FEATURE_SOURCES"],
  });
  const platform = {
    ...node,
    ...(apart && { runtime: async () => nativeApart() }),
    store: withRelease(node.store, name, version),
  };
  const project = await loadProject();
  const { predict, resolve } = createService(platform, project);
  const lookUp = createLookUp({
    sourceOf: createSources(platform, project.sources),
    log: (entry) => platform.log(entry),
  });
  let loadMilliseconds = 0;

  async function predictHere(
    inputs: unknown,
    parameters?: unknown,
    resolved?: Resolved,
  ): Promise<unknown> {
    const deadline = apart ? createDeadline(APART_MS, () => false) : NO_DEADLINE;
    const request = {
      model: name,
      version,
      inputs,
      parameters,
      deadline,
      cache: "no-store",
      ...(resolved && { resolved }),
    } as const;
    const { outputs, record } = await (apart
      ? deadline.within(predict(request))
      : predict(request));
    loadMilliseconds = record.durations?.["load"] ?? 0;
    return outputs;
  }

  return {
    loadMilliseconds: () => loadMilliseconds,
    async start() {
      await platform.runtime();
    },
    predict: predictHere,
    quantities: async () => (await resolve({ model: name, version })).compiled.quantities ?? [],
    async see(inputs, parameters) {
      const found = await resolve({ model: name, version });
      const { compiled, task } = found;
      const { lookup, ...manifest } = found.manifest;
      const phases = createPhases(undefined);
      const rows = lookup
        ? (
            await lookUp(found, inputs, pathOf, {
              deadline: NO_DEADLINE,
              phases,
              tally: startTally(lookup.source),
            })
          ).named()
        : inputs;
      // They are looked up once, so that the answers are of what is measured.
      const answers = (await predictHere(rows, parameters, {
        ...found,
        manifest,
      })) as unknown[];
      const runs = await prepare(undefined, phases, NO_DEADLINE, () =>
        compiled.preprocess(rows, {
          pathOf,
          parameters: parseParameters(task.parameters, parameters),
        }),
      );
      return { inputs: rows, runs, answers };
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
