import { Hono, type Context } from "hono";
import * as z from "zod";
import { invalidBody, methodNotAllowed, NearcastError } from "../../errors.ts";
import type { Manifest, TensorInfo } from "../../model/manifest.ts";
import type { Registry } from "../../model/registry.ts";
import { checkBatch, type InferInputs } from "../../predict.ts";
import type { AppEnv } from "../../http/exchange.ts";
import type { Parts } from "../../tasks/define.ts";
import type { Datatype } from "../../tensor.ts";
import { readBody } from "../../http/body.ts";
import { parseJson } from "../../wire/json.ts";
import { columnsOfTensors, feedsOfColumns, rowsOfTensors, runsOfRows } from "../../wire/rows.ts";
import { answerJson } from "../../http/answer.ts";
import { identify } from "../../http/identify.ts";
import type { Services } from "../../service.ts";

const SIGNATURE = "serving_default";
const PREDICT = ":predict";

const requestSchema = z.strictObject({
  signature_name: z.literal(["", SIGNATURE]).optional(),
  instances: z.array(z.unknown()).optional(),
  inputs: z.unknown().optional(),
});

/**
 * TensorFlow Serving's REST API below `/v1/models`: `:predict` and `metadata`. Its status shares a route
 * with the native description, which answers with the members of both.
 */
export function tensorflowServingRoutes({ platform, registryFor, infer }: Services) {
  const { limits } = platform.config;

  async function answerPredict(c: Context<AppEnv>, model: string, version?: string) {
    const context = c.get("context");
    const body = await context.phases.time("read", () => readBody(c, limits.bodyBytes));
    let runs: InferInputs["runs"] = [];
    let byRow = false;
    const { manifest, results } = await infer(
      {
        model,
        version,
        *read(found): Parts<InferInputs> {
          const { instances, inputs } = readRequest(body, found.manifest);
          byRow = instances !== undefined;
          if (instances) checkBatch(instances, found.limits.batch);
          runs = instances
            ? yield* runsOfRows(found, instances, "instances")
            : [{ feeds: feedsOfColumns(found.manifest, inputs, "inputs"), rows: 1 }];
          return { runs };
        },
      },
      context,
    );
    identify(c, manifest, context);
    return answerJson(
      c,
      byRow
        ? {
            predictions: runs.flatMap((run, index) =>
              rowsOfTensors(results[index] ?? {}, run.rows),
            ),
          }
        : { outputs: columnsOfTensors(results[0] ?? {}) },
    );
  }

  async function describe(c: Context<AppEnv>, model: string, version?: string) {
    const registry = registryFor(c.get("context").caller, "read");
    return answerJson(c, signature((await registry.resolve(model, version)).manifest));
  }

  return new Hono<AppEnv>()
    .post("/:model", (c) => answerPredict(c, withoutVerb(c, c.req.param("model"))))
    .post("/:model/versions/:version", (c) =>
      answerPredict(c, c.req.param("model"), withoutVerb(c, c.req.param("version"))),
    )
    .post("/:model/labels/:label", async (c) => {
      const model = c.req.param("model");
      const registry = registryFor(c.get("context").caller, "predict");
      const label = withoutVerb(c, c.req.param("label"));
      return answerPredict(c, model, await labelled(registry, model, label));
    })
    .get("/:model/metadata", (c) => describe(c, c.req.param("model")))
    .get("/:model/versions/:version/metadata", (c) =>
      describe(c, c.req.param("model"), c.req.param("version")),
    )
    .get("/:model/labels/:label", async (c) => {
      const registry = registryFor(c.get("context").caller, "read");
      const version = await labelled(registry, c.req.param("model"), c.req.param("label"));
      return answerJson(c, versionStatus([version]));
    })
    .get("/:model/labels/:label/metadata", async (c) => {
      const model = c.req.param("model");
      const registry = registryFor(c.get("context").caller, "read");
      return describe(c, model, await labelled(registry, model, c.req.param("label")));
    });
}

async function labelled(registry: Registry, model: string, label: string): Promise<string> {
  const { stable } = await registry.release(model);
  if (label === "stable") return stable;
  throw new NearcastError("unknown_version", `The only label of a model is stable, not ${label}.`);
}

/** What TensorFlow Serving's clients read of a model's status; every version in the store answers. */
export function versionStatus(versions: readonly string[]) {
  return {
    model_version_status: versions.map((version) => ({
      version,
      state: "AVAILABLE" as const,
      status: { error_code: "OK" as const, error_message: "" },
    })),
  };
}

/**
 * What stands before `:predict`. A route for just that form (`/:model{[^/]+:predict}`) would stand beside
 * `/:model`, and such pairs Hono's fast router does not take: it would match every request in 2 µs, not in 0.1.
 */
function withoutVerb(c: Context<AppEnv>, target: string): string {
  if (target.length > PREDICT.length && target.endsWith(PREDICT))
    return target.slice(0, -PREDICT.length);
  throw methodNotAllowed(c.req.path, ["GET", "HEAD"]);
}

function readRequest(body: Uint8Array, manifest: Manifest) {
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  const parsed = requestSchema.safeParse(parseJson(body, { exact }));
  if (!parsed.success) throw invalidBody(parsed.error);
  const { instances, inputs } = parsed.data;
  if ((instances === undefined) === (inputs === undefined))
    throw new NearcastError(
      "malformed_request",
      "The request needs exactly one of instances (rows) and inputs (columns).",
    );
  return { instances, inputs };
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
