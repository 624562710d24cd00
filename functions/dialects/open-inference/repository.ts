import { Hono, type Context } from "hono";
import * as z from "zod";
import { requireScope } from "../../auth/access.ts";
import type { Caller } from "../../auth/caller.ts";
import { checkBody, NearcastError } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { readBody } from "../../http/body.ts";
import { parseJson } from "../../wire/json.ts";
import { answerJson } from "../../http/answer.ts";
import { releasedModels } from "../../model/released-models.ts";
import type { Service } from "../../service.ts";

export const indexRequest = z.strictObject({ ready: z.boolean().optional() });

export const changeRequest = z.strictObject({
  parameters: z.strictObject({ unload_dependents: z.boolean().optional() }).optional(),
});

/**
 * The model repository extension. Every released model is READY, since its first request loads it. `load` does that
 * earlier, and `unload` takes the session out of memory. Both act only on this instance.
 */
export function repositoryRoutes(service: Service) {
  const { platform } = service;
  const options = { maxBytes: platform.config.limits.bodyBytes, now: platform.now };

  async function read<T>(c: Context<AppEnv>, schema: z.ZodType<T>): Promise<T> {
    const body = await readBody(c, options);
    const json = body.byteLength === 0 ? {} : parseJson(body, { exact: false });
    return checkBody(schema, json);
  }

  return new Hono<AppEnv>()
    .post("/repository/index", async (c) => {
      const { caller } = c.get("exchange");
      requireScope(caller, "read");
      const { ready } = await read(c, indexRequest);
      return answerJson(c, await repositoryIndex(service, caller, ready));
    })
    .post("/repository/models/:model/load", async (c) => {
      const { caller } = c.get("exchange");
      requireScope(caller, "admin");
      await read(c, changeRequest);
      await loadModel(service, caller, c.req.param("model"));
      return answerJson(c, {});
    })
    .post("/repository/models/:model/unload", async (c) => {
      const { caller } = c.get("exchange");
      requireScope(caller, "admin");
      await read(c, changeRequest);
      await unloadModel(service, caller, c.req.param("model"));
      return answerJson(c, {});
    });
}

export async function repositoryIndex({ registryFor }: Service, caller: Caller, ready = false) {
  const index = [];
  for (const [name, found] of await releasedModels(registryFor(caller, "read"))) {
    const broken = found instanceof NearcastError ? found.message : undefined;
    if (broken === undefined || !ready)
      index.push({
        name,
        version: found instanceof NearcastError ? "" : found.manifest.version,
        state: broken === undefined ? "READY" : "UNAVAILABLE",
        reason: broken ?? "",
      });
  }
  return index;
}

export async function loadModel({ registryFor, sessions }: Service, caller: Caller, model: string) {
  const { manifest } = await registryFor(caller, "admin").resolve(model);
  (await sessions.acquire(manifest)).end();
}

export async function unloadModel(
  { registryFor, sessions }: Service,
  caller: Caller,
  model: string,
) {
  sessions.evict((await registryFor(caller, "admin").resolve(model)).manifest);
}
