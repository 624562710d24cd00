export { createApp, type AppOptions, type NativeApi, type Options } from "./app.ts";
export type { Caller, Scope } from "./auth/caller.ts";
export type { CallOptions, CallRecord, InferCall, InferInputs, PredictCall } from "./call.ts";
export {
  defineDialect,
  type Description,
  type Dialect,
  type ListedModel,
} from "./dialects/define.ts";
export { createMemorySource } from "./features/memory-source.ts";
export type {
  EntityKeys,
  FeatureProblem,
  FeatureRow,
  FeatureSource,
  StoredFeatures,
} from "./features/source.ts";
export { invalidInput, NearcastError, type ErrorCode, type InputIssue } from "./errors.ts";
export { answerJson } from "./http/answer.ts";
export { readBody } from "./http/body.ts";
export { callOf, type AppEnv } from "./http/exchange.ts";
export { identify } from "./http/identify.ts";
export { readJson } from "./http/read-json.ts";
export type { Limits } from "./model/limits.ts";
export type { Manifest, ManifestOf } from "./model/manifest.ts";
export type { ModelVersion, Registry } from "./model/registry.ts";
export type { ReleasedModel } from "./model/released-models.ts";
export type { Counters, Group } from "./observe/counters.ts";
export type { Observer, RequestRecord } from "./observe/observer.ts";
export type { Limiter, Taken } from "./limits/limiter.ts";
export type { PutCondition, Store, StoredObject } from "./model/store.ts";
export type { ArtifactCache, Platform, PredictionCache } from "./platform/types.ts";
export { pathsOf, type OperationOptions } from "./openapi/operation.ts";
export { schemaOf } from "./openapi/schema.ts";
export type { Inference, Prediction } from "./predict.ts";
export { createService, type Service, type ServiceOptions } from "./service.ts";
export {
  defineTask,
  type CompiledTask,
  type InParts,
  type InputKind,
  type JsonSchema,
  type Quality,
  type Run,
  type Task,
  type TaskVersion,
} from "./tasks/define.ts";
export type { Datatype, Tensor, TensorData, Tensors } from "./tensor.ts";
