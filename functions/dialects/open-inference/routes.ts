import { Hono, type Context } from "hono";
import { mayUse, requireScope } from "../../auth/access.ts";
import { callOf, mayForward, type AppEnv } from "../../http/exchange.ts";
import { giveBackTensors } from "../../give-back.ts";
import { rowsOfRuns } from "../../limits/cost.ts";
import { giveBackBody, readBody } from "../../http/body.ts";
import { readInferRequest, type InferRequest } from "./request.ts";
import { writeInferAnswer } from "./response.ts";
import { answerEncoded, answerJson } from "../../http/answer.ts";
import { writeAnswer } from "../../http/write-answer.ts";
import { identify } from "../../http/identify.ts";
import { modelConfiguration, modelMetadata, serverMetadata } from "./metadata.ts";
import { repositoryRoutes } from "./repository.ts";
import type { Service } from "../../service.ts";
import { VERSION } from "../../version.ts";

export function liveRoutes({ checkReady }: Service) {
  return new Hono<AppEnv>()
    .get("/v2/health/live", (c) => answerJson(c, { live: true, ready: true }))
    .get("/v2/health/ready", async (c) => {
      await checkReady();
      return answerJson(c, { live: true, ready: true });
    });
}

export function openInferenceRoutes(service: Service) {
  const { platform, registryFor, statistics, infer } = service;
  const options = { maxBytes: platform.config.limits.bodyBytes, now: platform.now };

  async function answerInference(
    c: Context<AppEnv>,
    model: string,
    version?: string,
  ): Promise<Response> {
    const body = await readBody(c, options);
    let request: InferRequest | undefined;
    const { manifest, results, areOwn, answerBytes, record } = await infer({
      ...callOf(c),
      model,
      version,
      read({ manifest, compiled, limits: { batch } }) {
        const jsonLength = c.req.header("inference-header-content-length");
        request = readInferRequest(body, jsonLength, manifest, {
          fill: compiled.missing?.fill,
          batch,
          keepsBody: mayForward(c),
        });
        const { feeds, outputNames, isBinary } = request;
        const rows = rowsOfRuns(manifest, [{ feeds }]);
        return { runs: [{ feeds, rows }], outputNames, isBinary };
      },
    });
    const { id, isBinary = () => false } = request ?? {};
    const tensors = results[0] ?? {};
    const answer = await writeInferAnswer({ manifest, id, tensors, isBinary }, (value) =>
      writeAnswer(c, value, { bytes: answerBytes }),
    );
    if (areOwn) {
      giveBackTensors(request?.feeds ?? {});
      giveBackTensors(tensors);
      giveBackBody(c);
    }
    identify(c, manifest, record);
    return answerEncoded(c, answer.body, answer.headers);
  }

  async function describe(c: Context<AppEnv>, model: string, version?: string) {
    // A separate route would slow Hono's matching from 0.1 to 2 µs for every request: see withoutVerb.
    if (model === "stats" && version === undefined) return allStats(c);
    const registry = registryFor(c.get("exchange").caller, "read");
    // Resolves first, so that a version that does not exist needs no list of the store.
    const { manifest } = await registry.resolve(model, { version });
    const versions = await registry.versions(model);
    return answerJson(c, modelMetadata(manifest, versions.get(model) ?? []));
  }

  async function configuration(c: Context<AppEnv>, model: string, version?: string) {
    const registry = registryFor(c.get("exchange").caller, "read");
    return answerJson(c, modelConfiguration((await registry.resolve(model, { version })).manifest));
  }

  async function ready(c: Context<AppEnv>, model: string, version?: string) {
    const registry = registryFor(c.get("exchange").caller, "read");
    const { manifest } = await registry.resolve(model, { version });
    return answerJson(c, { name: manifest.name, ready: true });
  }

  async function stats(c: Context<AppEnv>, model: string, version?: string) {
    const registry = registryFor(c.get("exchange").caller, "read");
    const { manifest } = await registry.resolve(model, { version });
    return answerJson(c, { model_stats: [statistics.of(manifest)] });
  }

  function allStats(c: Context<AppEnv>) {
    const { caller } = c.get("exchange");
    requireScope(caller, "read");
    const model_stats = statistics.all().filter(({ name }) => mayUse(caller, name));
    return answerJson(c, { model_stats });
  }

  const routes = new Hono<AppEnv>()
    .get("/v2", (c) => answerJson(c, serverMetadata(VERSION)))
    .route("/v2", repositoryRoutes(service));

  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"] as const) {
    routes.get(path, on(describe));
    routes.get(`${path}/ready`, on(ready));
    routes.get(`${path}/config`, on(configuration));
    routes.get(`${path}/stats`, on(stats));
    routes.post(`${path}/infer`, on(answerInference));
  }
  return routes;
}

/** Makes a handler for both forms of a model's path: with and without a version. */
function on(answer: (c: Context<AppEnv>, model: string, version?: string) => Promise<Response>) {
  return (c: Context<AppEnv>) => answer(c, c.req.param("model") ?? "", c.req.param("version"));
}
