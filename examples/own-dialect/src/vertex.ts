import { Hono } from "hono";
import {
  answerJson,
  callOf,
  defineDialect,
  identify,
  NearcastError,
  pathsOf,
  readJson,
  schemaOf,
  type AppEnv,
  type ErrorCode,
} from "nearcast";
import * as z from "zod";

/** All answers below this path have the form of Google's Vertex AI, errors included. */
const PREFIX = "/v1/projects";

const predictRequest = z.strictObject({
  instances: z.array(z.unknown()).min(1),
  parameters: z.record(z.string(), z.unknown()).optional(),
});

/** Google's name for each kind of error (google.rpc.Code). Others get a name by their HTTP status. */
const STATUSES: Partial<Record<ErrorCode, string>> = {
  unauthorized: "UNAUTHENTICATED",
  forbidden: "PERMISSION_DENIED",
  not_found: "NOT_FOUND",
  unknown_model: "NOT_FOUND",
  unknown_version: "NOT_FOUND",
  method_not_allowed: "UNIMPLEMENTED",
  rate_limited: "RESOURCE_EXHAUSTED",
  overloaded: "UNAVAILABLE",
  store_unavailable: "UNAVAILABLE",
  deadline_exceeded: "DEADLINE_EXCEEDED",
};

/** Vertex AI's `endpoints.predict`. The endpoint is the name of a model. */
export const vertex = defineDialect({
  name: "vertex",
  paths: [PREFIX],

  routes: ({ platform, predict }) =>
    new Hono<AppEnv>().post(`${PREFIX}/:project/locations/:location/endpoints/:call`, async (c) => {
      const [model = "", method] = c.req.param("call").split(":");
      if (method !== "predict")
        throw new NearcastError("not_found", `There is no method ${method ?? "without a name"}.`);
      const { instances, parameters } = await readJson(c, predictRequest, platform);
      const call = { ...callOf(c), model, inputs: instances, parameters, member: "instances" };
      const { manifest, outputs, record } = await predict(call);
      identify(c, manifest, record);
      return answerJson(c, {
        predictions: outputs,
        deployedModelId: `${manifest.name}-${manifest.version}`,
        modelDisplayName: manifest.name,
        modelVersionId: manifest.version,
      });
    }),

  errorBody: (error) => ({
    error: {
      code: error.status,
      message: error.message,
      status: STATUSES[error.code] ?? (error.status < 500 ? "INVALID_ARGUMENT" : "INTERNAL"),
      details: (error.issues ?? []).map(({ path, message }) => ({
        field: path,
        description: message,
      })),
    },
  }),

  // For /openapi.json. The same schema reads the body.
  describe: (models) => ({
    paths: Object.assign(
      {},
      ...models.map(({ manifest: { name } }) =>
        pathsOf({
          [`post ${PREFIX}/{project}/locations/{location}/endpoints/${name}:predict`]: {
            tag: "Vertex AI",
            summary: `Predictions of ${name}`,
            parameters: ["project", "location"].map((parameter) => ({
              name: parameter,
              in: "path",
              required: true,
              description: "Any name.",
              schema: { type: "string" },
            })),
            body: { "application/json": { schema: schemaOf(predictRequest) } },
            error: { schema: "VertexError", mediaType: "application/json" },
          },
        }),
      ),
    ) as Record<string, Record<string, object>>,
    schemas: { VertexError: schemaOf(vertexError) },
  }),
});

const vertexError = z.object({
  error: z.object({
    code: z.int().describe("The HTTP status."),
    message: z.string(),
    status: z.string().describe("The error's name in google.rpc.Code."),
    details: z.array(z.object({ field: z.string(), description: z.string() })),
  }),
});
