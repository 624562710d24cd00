import type { Context } from "hono";
import { NearcastError } from "../../errors.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Resolved } from "../../model/registry.ts";
import type { Service } from "../../service.ts";
import type { LongTexts } from "../../tasks/define.ts";
import { checkTask, createTaskModel, type Tasks } from "../task-model.ts";

export interface Asked {
  model: string | null | undefined;
  tasks: Tasks;
  /** What the model gets. Several texts in an array. */
  inputs: unknown;
  longTexts: LongTexts;
  parameters: object;
  /** The same for a model of another task. */
  inputsOf?: (manifest: Manifest) => unknown;
  check?: (version: Resolved) => void;
}

/** Makes calls of the model that is named, or else of the deployment's model of the tasks. */
export function createAsk(service: Service) {
  const { resolve, predict } = service;
  const findModel = createTaskModel(service);

  return async function ask(c: Context<AppEnv>, asked: Asked) {
    const { tasks, inputs, parameters, longTexts } = asked;
    const model = asked.model ?? (await findModel(c.get("exchange").caller, "predict", tasks));
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    const { manifest, limits } = resolved;
    checkTask(manifest, tasks);
    checkSize(inputs, limits.batch);
    asked.check?.(resolved);
    const made = await predict({
      ...call,
      resolved,
      inputs: asked.inputsOf ? asked.inputsOf(manifest) : inputs,
      parameters,
      longTexts,
    });
    identify(c, manifest, made.record);
    return made;
  };
}

/** Throws `body_too_large` (413), as TEI does, for too many texts. */
export function checkSize(inputs: unknown, most: number): void {
  if (!Array.isArray(inputs) || inputs.length <= most) return;
  const message = `batch size ${inputs.length} > maximum allowed batch size ${most}`;
  throw new NearcastError("body_too_large", message);
}
