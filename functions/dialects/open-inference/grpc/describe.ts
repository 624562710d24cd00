import { answers, json, object, pathsOf } from "../../../openapi/operation.ts";
import type { Description } from "../../define.ts";
import { CLOSED, HEALTH_PATH, OPEN, SERVICE_PATH, type Method } from "./names.ts";

const string = { type: "string" };

const SUMMARIES: Record<Method, string> = {
  ServerLive: "Alive",
  ServerReady: "Ready",
  ServerMetadata: "The server",
  ModelReady: "Readiness of a model",
  ModelMetadata: "Metadata of a model",
  ModelInfer: "Tensors in, tensors out",
  RepositoryIndex: "Every released model",
  RepositoryModelLoad: "Load ahead of time",
  RepositoryModelUnload: "Take out of memory",
};

const MESSAGE =
  "A message of the Open Inference Protocol's definition for gRPC, as protobuf's JSON.";

const SCHEMAS = {
  ConnectMessage: { type: "object", description: MESSAGE },
  ConnectError: object({
    code: { ...string, description: "gRPC's code, such as `invalid_argument`." },
    message: string,
    details: { type: "array", items: object({ type: string, value: string }) },
  }),
};

export function describe(): Description {
  const paths = [...OPEN, ...CLOSED].map((name) => [`${SERVICE_PATH}/${name}`, SUMMARIES[name]]);
  const operations = [...paths, [`${HEALTH_PATH}/Check`, "gRPC's health check"]].map(
    ([path, summary = ""]) => [
      `post ${path}`,
      {
        tag: "Open Inference Protocol by Connect",
        summary,
        description: "Also by gRPC-Web, and by gRPC where a Node server has `GRPC_PORT`.",
        body: json("ConnectMessage"),
        answer: answers("ConnectMessage"),
        error: { schema: "ConnectError", mediaType: "application/json" },
      },
    ],
  );
  return { paths: pathsOf(Object.fromEntries(operations)), schemas: SCHEMAS };
}
