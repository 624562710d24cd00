import { Hono, type Context } from "hono";
import type { Dialect } from "../dialects/define.ts";
import { publicManifest } from "../model/manifest.ts";
import { answeringModels } from "../model/released-models.ts";
import { shownDescription } from "../model/shown.ts";
import type { Service } from "../service.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { identify } from "./identify.ts";

/**
 * `/v1/models`, where the native API, KServe, OpenAI and TensorFlow Serving all list and describe models. Their members
 * do not clash: answers have the native members and those of each dialect.
 */
export function modelRoutes(
  { registryFor }: Pick<Service, "registryFor">,
  dialects: readonly Dialect[],
) {
  async function describe(c: Context<AppEnv>, name: string, version?: string) {
    const registry = registryFor(c.get("exchange").caller, "read");
    // Resolves first, so that a version that does not exist needs no list of the store.
    const { manifest } = await registry.resolve(name, { version });
    const [{ stable }, stored] = await Promise.all([
      registry.release(name),
      registry.versions(name),
    ]);
    identify(c, manifest);
    const inStore = stored.get(name) ?? [];
    const versions = version === undefined ? inStore : [manifest.version];
    return answerJson(c, {
      ...publicManifest(manifest),
      versions: inStore,
      released: stable,
      ready: true,
      ...added(dialects, (dialect) => dialect.model?.({ name, versions })),
    });
  }

  async function list(c: Context<AppEnv>) {
    const registry = registryFor(c.get("exchange").caller, "read");
    const models = (await answeringModels(registry)).map(({ manifest, versions }) => {
      const { name, version, task, description } = manifest;
      return { name, version, versions, task, description: shownDescription(description) };
    });
    return answerJson(c, {
      models,
      ...added(dialects, (dialect) => dialect.modelList?.(models)),
    });
  }

  return (
    new Hono<AppEnv>()
      .get("/v1/models", (c) => list(c))
      // The front ends of tutorials ask there.
      .get("/models", (c) => list(c))
      .get("/v1/models/:model", (c) => describe(c, c.req.param("model")))
      .get("/v1/models/:model/versions/:version", (c) =>
        describe(c, c.req.param("model"), c.req.param("version")),
      )
  );
}

function added(
  dialects: readonly Dialect[],
  membersOf: (dialect: Dialect) => object | undefined,
): object {
  return Object.assign({}, ...dialects.map(membersOf)) as object;
}
