import { Hono, type Context } from "hono";
import { methodNotAllowed, NearcastError } from "../../errors.ts";
import type { Manifest, TensorInfo } from "../../model/manifest.ts";
import type { Registry } from "../../model/registry.ts";
import type { InferInputs } from "../../call.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import type { InParts } from "../../tasks/define.ts";
import type { Datatype } from "../../tensor.ts";
import { readBody } from "../../http/body.ts";
import { checkRows, columnsOfTensors, rowsOfResults, runsOfColumns, runsOfRows } from "../rows.ts";
import { answerJson } from "../../http/answer.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { readRequest, SIGNATURE } from "./request.ts";
import { versionStatus } from "./status.ts";
import { identify } from "../../http/identify.ts";
import type { Service } from "../../service.ts";

const PREDICT = ":predict";

/**
 * TensorFlow Serving's REST API below `/v1/models`: `:predict` and `metadata`. Its status shares a route with the
 * native description, and the answer has the members of both.
 */
export function tensorflowServingRoutes({ platform, registryFor, infer }: Service) {
  const options = { maxBytes: platform.config.limits.bodyBytes, now: platform.now };

  async function answerPredict(c: Context<AppEnv>, model: string, version?: string) {
    const body = await readBody(c, options);
    let byRow = false;
    const { manifest, runs, results, answerBytes, record } = await infer({
      ...callOf(c),
      model,
      version,
      read(found, sentBytes): InParts<InferInputs> {
        const { instances, inputs } = readRequest(body, found.manifest);
        byRow = instances !== undefined;
        if (!instances) return runsOfColumns(found, inputs, { path: "inputs", sentBytes });
        checkRows(found, instances);
        return runsOfRows(found, instances, { path: "instances", sentBytes });
      },
    });
    identify(c, manifest, record);
    const value = byRow
      ? { predictions: rowsOfResults(runs, results) }
      : { outputs: columnsOfTensors(results) };
    return answerPrediction(c, value, { bytes: answerBytes });
  }

  async function describe(c: Context<AppEnv>, model: string, version?: string) {
    const registry = registryFor(c.get("exchange").caller, "read");
    return answerJson(c, signature((await registry.resolve(model, { version })).manifest));
  }

  return new Hono<AppEnv>()
    .post("/v1/models/:model", (c) => answerPredict(c, withoutVerb(c, c.req.param("model"))))
    .post("/v1/models/:model/versions/:version", (c) =>
      answerPredict(c, c.req.param("model"), withoutVerb(c, c.req.param("version"))),
    )
    .post("/v1/models/:model/labels/:label", async (c) => {
      const model = c.req.param("model");
      const registry = registryFor(c.get("exchange").caller, "predict");
      const label = withoutVerb(c, c.req.param("label"));
      return answerPredict(c, model, await labelled(registry, model, label));
    })
    .get("/v1/models/:model/metadata", (c) => describe(c, c.req.param("model")))
    .get("/v1/models/:model/versions/:version/metadata", (c) =>
      describe(c, c.req.param("model"), c.req.param("version")),
    )
    .get("/v1/models/:model/labels/:label", async (c) => {
      const registry = registryFor(c.get("exchange").caller, "read");
      const version = await labelled(registry, c.req.param("model"), c.req.param("label"));
      return answerJson(c, versionStatus([version]));
    })
    .get("/v1/models/:model/labels/:label/metadata", async (c) => {
      const model = c.req.param("model");
      const registry = registryFor(c.get("exchange").caller, "read");
      return describe(c, model, await labelled(registry, model, c.req.param("label")));
    });
}

async function labelled(registry: Registry, model: string, label: string): Promise<string> {
  const { stable } = await registry.release(model);
  if (label === "stable") return stable;
  throw new NearcastError("unknown_version", `The only label of a model is stable, not ${label}.`);
}

/**
 * The text before `:predict`. A separate route for it (`/:model{[^/]+:predict}`) would compete with `/:model`. Hono's
 * fast router does not support such pairs: matching would take 2 µs instead of 0.1 for every request.
 */
function withoutVerb(c: Context<AppEnv>, target: string): string {
  if (target.length > PREDICT.length && target.endsWith(PREDICT))
    return target.slice(0, -PREDICT.length);
  const verb = /:\w+$/.exec(target)?.[0];
  if (verb)
    throw new NearcastError("not_found", `${verb.slice(1)} is not served: ask ${PREDICT} here.`);
  throw methodNotAllowed(c.req.path, ["GET", "HEAD"]);
}

const DTYPES: Record<Datatype, string> = {
  BOOL: "DT_BOOL",
  INT8: "DT_INT8",
  INT16: "DT_INT16",
  INT32: "DT_INT32",
  INT64: "DT_INT64",
  UINT8: "DT_UINT8",
  UINT16: "DT_UINT16",
  UINT32: "DT_UINT32",
  UINT64: "DT_UINT64",
  FP16: "DT_HALF",
  FP32: "DT_FLOAT",
  FP64: "DT_DOUBLE",
  BYTES: "DT_STRING",
};

function signature(manifest: Manifest) {
  const definition = {
    inputs: signatureTensors(manifest.inputs),
    outputs: signatureTensors(manifest.outputs),
    method_name: "tensorflow/serving/predict",
  };
  return {
    model_spec: { name: manifest.name, signature_name: "", version: manifest.version },
    metadata: { signature_def: { signature_def: { [SIGNATURE]: definition } } },
  };
}

function signatureTensors(tensors: readonly TensorInfo[]) {
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }) => {
      const dim = shape.map((size) => ({ size: String(size), name: "" }));
      return [
        name,
        { name, dtype: DTYPES[datatype], tensor_shape: { dim, unknown_rank: false } },
      ] as const;
    }),
  );
}
