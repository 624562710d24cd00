import { createDeadline } from "../../functions/load/deadline.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { rowError } from "../../functions/inputs/row.ts";
import { createService } from "../../functions/service.ts";
import { refuseStateOfRows } from "../../functions/tasks/state/of-calls.ts";
import { openPackage, type Reference } from "../package-folder.ts";
import { SESSION_BUDGET_MB, withRelease, type RuntimeName } from "../predictor.ts";
import { loadProject } from "../project.ts";
import type { Asked } from "./asked.ts";

interface LocalFlags {
  models: string;
  store?: string;
  runtime: RuntimeName;
  parameters?: unknown;
}

const NO_DEADLINE = createDeadline(Infinity, () => false);

/** A service in this process: over a store with its released version, or over a models folder with the newest one. */
export async function openLocal(
  { name, version: named }: Reference,
  { models, store, runtime, parameters }: LocalFlags,
): Promise<Asked> {
  const node = createNodePlatform({
    ...process.env,
    STORE: store ?? models,
    RUNTIME: runtime,
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
  });
  const wanted =
    named ?? (store ? undefined : (await openPackage(models, { name })).manifest.version);
  const platform =
    store || wanted === undefined
      ? node
      : { ...node, store: withRelease(node.store, name, wanted) };
  const { predict, resolve } = createService(platform, await loadProject());
  const found = await resolve({ model: name, version: wanted });
  const { version } = found.manifest;
  refuseStateOfRows(found.task, parameters);
  return {
    name,
    version,
    model: found,
    rows: found.limits.batch,
    atOnce: 1,
    async ask(inputs) {
      try {
        const call = { model: name, version, inputs, parameters, each: true } as const;
        return await predict({ ...call, deadline: NO_DEADLINE, cache: "no-store" });
      } catch (error) {
        return rowError(error);
      }
    },
  };
}
