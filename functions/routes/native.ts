import { Hono, type Context } from "hono";
import { publicManifest } from "../model/manifest.ts";
import type { AppEnv } from "../request-context.ts";
import { answerJson } from "./answer.ts";
import { identify } from "./identify.ts";
import { openaiModel } from "./openai.ts";
import { readPredictBody } from "./predict-body.ts";
import { answeringModels } from "./released-models.ts";
import type { Services } from "./services.ts";
import { takes } from "./takes.ts";
import { versionStatus } from "./tensorflow-serving.ts";

/** The body of a prediction, as `hono/client` sends it. */
export interface PredictRequest {
  /** One input, or an array of them. */
  inputs: unknown;
  parameters?: Record<string, unknown>;
}

/**
 * The native API below `/v1/models`. KServe, OpenAI and TensorFlow Serving have their lists and
 * descriptions of models at the same addresses: the answers have the members of all.
 */
export function nativeRoutes({ platform, registryFor, predict }: Services) {
  async function answerPrediction(c: Context<AppEnv>, model: string, version?: string) {
    const context = c.get("context");
    const body = await context.phases.time("read", () =>
      readPredictBody(c, platform.config.limits.bodyBytes),
    );
    context.bodyArrived = true;
    const { manifest, outputs } = await predict({ model, version, ...body }, context);
    identify(c, manifest, context);
    return answerJson(c, { model: manifest.name, version: manifest.version, outputs });
  }

  async function describeModel(c: Context<AppEnv>, name: string, version?: string) {
    const registry = registryFor(c.get("context").caller, "read");
    const [{ manifest }, { stable }, versions] = await Promise.all([
      registry.resolve(name, version),
      registry.release(name),
      registry.versions(name),
    ]);
    identify(c, manifest);
    const inStore = versions.get(name) ?? [];
    return answerJson(c, {
      ...publicManifest(manifest),
      versions: inStore,
      released: stable,
      ready: true,
      ...openaiModel(name),
      ...versionStatus(version === undefined ? inStore : [manifest.version]),
    });
  }

  return new Hono<AppEnv>()
    .get("/", async (c) => {
      const registry = registryFor(c.get("context").caller, "read");
      const models = (await answeringModels(registry)).map(({ manifest, versions }) => {
        const { name, version, task, description } = manifest;
        return { name, version, versions, task, description };
      });
      return answerJson(c, {
        models,
        object: "list" as const,
        data: models.map(({ name }) => openaiModel(name)),
      });
    })
    .get("/:model", (c) => describeModel(c, c.req.param("model")))
    .get("/:model/versions/:version", (c) =>
      describeModel(c, c.req.param("model"), c.req.param("version")),
    )
    .post("/:model/predict", takes<PredictRequest>(), (c) =>
      answerPrediction(c, c.req.param("model")),
    )
    .post("/:model/versions/:version/predict", takes<PredictRequest>(), (c) =>
      answerPrediction(c, c.req.param("model"), c.req.param("version")),
    );
}
