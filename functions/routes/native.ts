import { Hono, type Context } from "hono";
import { publicManifest } from "../model/manifest.ts";
import type { Registry } from "../model/registry.ts";
import { createPhases } from "../phases.ts";
import type { Platform } from "../platform/types.ts";
import type { Predict } from "../predict.ts";
import { identify } from "./identify.ts";
import { readPredictBody } from "./predict-body.ts";

interface Services {
  platform: Platform;
  registry: Registry;
  predict: Predict;
}

/** How many models are read at once for the list of models. */
const LIST_CONCURRENCY = 8;

/** The native API below `/v1/models`. */
export function nativeRoutes({ platform, registry, predict }: Services) {
  async function answerPrediction(c: Context, model: string, version?: string) {
    const phases = createPhases(platform.now);
    const body = await phases.time("read", () => readPredictBody(c.req));
    const { manifest, outputs } = await predict({ model, version, ...body }, phases);
    identify(c.res.headers, manifest, phases);
    return c.json({ model: manifest.name, version: manifest.version, outputs });
  }

  async function describeModel(c: Context, name: string, version?: string) {
    const [{ manifest }, { stable }, versions] = await Promise.all([
      registry.resolve(name, version),
      registry.release(name),
      registry.versions(name),
    ]);
    identify(c.res.headers, manifest);
    return c.json({
      ...publicManifest(manifest),
      versions: versions.get(name) ?? [],
      released: stable,
    });
  }

  async function summary([model, versions]: [string, string[]]) {
    const { name, version, task, description } = (await registry.resolve(model)).manifest;
    return { name, version, versions, task, description };
  }

  return new Hono()
    .get("/", async (c) => {
      const found = [...(await registry.versions())];
      const models: Awaited<ReturnType<typeof summary>>[] = [];
      for (let start = 0; start < found.length; start += LIST_CONCURRENCY) {
        const some = found.slice(start, start + LIST_CONCURRENCY);
        const settled = await Promise.allSettled(some.map(summary));
        // One broken package must not hide the others; asking for it by name says what is wrong.
        for (const result of settled) if (result.status === "fulfilled") models.push(result.value);
      }
      return c.json({ models });
    })
    .get("/:model", (c) => describeModel(c, c.req.param("model")))
    .get("/:model/versions/:version", (c) =>
      describeModel(c, c.req.param("model"), c.req.param("version")),
    )
    .post("/:model/predict", (c) => answerPrediction(c, c.req.param("model")))
    .post("/:model/versions/:version/predict", (c) =>
      answerPrediction(c, c.req.param("model"), c.req.param("version")),
    );
}
