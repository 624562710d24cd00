export const SERVICE_PATH = "/inference.GRPCInferenceService";
export const HEALTH_PATH = "/grpc.health.v1.Health";

/** The methods that anyone may call. */
export const OPEN = ["ServerLive", "ServerReady"] as const;

export const CLOSED = [
  "ServerMetadata",
  "ModelReady",
  "ModelMetadata",
  "ModelInfer",
  "RepositoryIndex",
  "RepositoryModelLoad",
  "RepositoryModelUnload",
] as const;

export type Method = (typeof OPEN)[number] | (typeof CLOSED)[number];
