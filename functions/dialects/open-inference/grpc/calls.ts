import {
  create,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Context } from "hono";
import type { Caller } from "../../../auth/caller.ts";
import { concatenate } from "../../../concatenate.ts";
import { invalidInput, NearcastError } from "../../../errors.ts";
import { giveBackTensors } from "../../../give-back.ts";
import { giveBackBody } from "../../../http/body.ts";
import { askedOf, mayForward, type AppEnv } from "../../../http/exchange.ts";
import { identify } from "../../../http/identify.ts";
import { rowsOfRuns } from "../../../limits/cost.ts";
import type { Service } from "../../../service.ts";
import { VERSION } from "../../../version.ts";
import { parseJson } from "../../../wire/json.ts";
import { modelMetadata, serverMetadata } from "../metadata.ts";
import { loadModel, repositoryIndex, unloadModel } from "../repository.ts";
import { HealthCheckRequestSchema, HealthCheckResponseSchema } from "./health_pb.ts";
import { checkInferJson, readInference, readInferMessage } from "./infer-request.ts";
import { writeInferResponse } from "./infer-response.ts";
import * as pb from "./open_inference_pb.ts";
import { answerMessage, beginCall, readMessage, type Protocol } from "./protocol.ts";

/** Answers a call of one method. */
export type Call = (c: Context<AppEnv>, service: Service) => Promise<Response>;

/** Only ModelInfer has longer messages. Their fields may take a hundred times their bytes in memory. */
const SHORT_BYTES = 65_536;

/** What gRPC's health check answers. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICES = new Set(["", "inference.GRPCInferenceService", "grpc.health.v1.Health"]);

/** The methods of `inference.GRPCInferenceService` that anyone may call. */
export const OPEN_CALLS = {
  ServerLive: call(pb.ServerLiveRequestSchema, pb.ServerLiveResponseSchema, () => ({ live: true })),
  ServerReady: call(pb.ServerReadyRequestSchema, pb.ServerReadyResponseSchema, async (service) => ({
    ready: await isReady(service),
  })),
} satisfies Record<string, Call>;

/** Its other methods. */
export const CALLS = {
  ServerMetadata: call(pb.ServerMetadataRequestSchema, pb.ServerMetadataResponseSchema, () =>
    serverMetadata(VERSION),
  ),
  ModelReady: call(
    pb.ModelReadyRequestSchema,
    pb.ModelReadyResponseSchema,
    async ({ registryFor }, caller, { name, version }) => {
      await registryFor(caller, "read").resolve(name, { version: version || undefined });
      return { ready: true };
    },
  ),
  ModelMetadata: call(
    pb.ModelMetadataRequestSchema,
    pb.ModelMetadataResponseSchema,
    async (service, caller, { name, version }) => {
      const registry = service.registryFor(caller, "read");
      const { manifest } = await registry.resolve(name, { version: version || undefined });
      const versions = (await registry.versions(name)).get(name) ?? [];
      const { inputs, outputs, ...rest } = modelMetadata(manifest, versions);
      return {
        ...rest,
        versions: [...versions],
        inputs: inputs.map(withLongs),
        outputs: outputs.map(withLongs),
      };
    },
  ),
  RepositoryIndex: call(
    pb.RepositoryIndexRequestSchema,
    pb.RepositoryIndexResponseSchema,
    async (service, caller, { ready }) => ({
      models: await repositoryIndex(service, caller, ready),
    }),
  ),
  RepositoryModelLoad: call(
    pb.RepositoryModelLoadRequestSchema,
    pb.RepositoryModelLoadResponseSchema,
    async (service, caller, request) => {
      const modelName = changedModel(request, []);
      await loadModel(service, caller, modelName);
      return { modelName, isLoaded: true };
    },
  ),
  RepositoryModelUnload: call(
    pb.RepositoryModelUnloadRequestSchema,
    pb.RepositoryModelUnloadResponseSchema,
    async (service, caller, request) => {
      const modelName = changedModel(request, ["unload_dependents"]);
      await unloadModel(service, caller, modelName);
      return { modelName, isUnloaded: true };
    },
  ),
  ModelInfer: infer,
} satisfies Record<string, Call>;

/** `grpc.health.v1.Health/Check` */
export const checkHealth = call(
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  async (service, _caller, { service: asked }) => {
    if (!SERVICES.has(asked))
      throw new NearcastError("unknown_model", `There is no service ${asked}.`);
    return { status: (await isReady(service)) ? SERVING : NOT_SERVING };
  },
);

async function infer(c: Context<AppEnv>, { platform, infer }: Service): Promise<Response> {
  const protocol = beginCall(c);
  const { binary } = protocol;
  const bytes = await readMessage(c, protocol, optionsOf(platform));
  const message = binary
    ? understood(() => readInferMessage(bytes))
    : read(pb.ModelInferRequestSchema, bytes, protocol, checkInferJson);
  const raw = message.rawInputContents.length > 0;
  const { manifest, results, areOwn, record } = await infer({
    ...askedOf(c),
    model: message.modelName,
    version: message.modelVersion || undefined,
    read({ manifest, limits: { batch } }) {
      const options = { manifest, batch, begin: mayForward(c) ? undefined : bytes.byteOffset };
      const { feeds, outputNames } = readInference(message, options);
      const rows = rowsOfRuns(manifest, [{ feeds }]);
      return { runs: [{ feeds, rows }], outputNames, isBinary: () => binary };
    },
  });
  const [tensors = {}] = results;
  const parts = writeInferResponse({ manifest, id: message.id, tensors, raw });
  identify(c, manifest, record);
  const answer = answerMessage(c, protocol, binary ? parts : [jsonOfParts(parts)]);
  if (areOwn) {
    giveBackTensors(tensors);
    giveBackBody(c);
  }
  return answer;
}

function jsonOfParts(parts: readonly Uint8Array[]) {
  const response = fromBinary(pb.ModelInferResponseSchema, concatenate(parts));
  return jsonOf(pb.ModelInferResponseSchema, response);
}

/** A method whose messages are short. */
function call<In extends DescMessage, Out extends DescMessage>(
  input: In,
  output: Out,
  run: (
    service: Service,
    caller: Caller,
    request: MessageShape<In>,
  ) => MessageInitShape<Out> | Promise<MessageInitShape<Out>>,
): Call {
  return async (c, service) => {
    const protocol = beginCall(c);
    const bytes = await readMessage(c, protocol, optionsOf(service.platform));
    if (bytes.byteLength > SHORT_BYTES)
      throw new NearcastError(
        "body_too_large",
        `A message of this method may have at most ${SHORT_BYTES} bytes.`,
      );
    const request = read(input, bytes, protocol);
    const answer = create(output, await run(service, c.get("exchange").caller, request));
    const written = protocol.binary ? toBinary(output, answer) : jsonOf(output, answer);
    return answerMessage(c, protocol, [written]);
  };
}

function optionsOf({ config, now }: Service["platform"]) {
  return { maxBytes: config.limits.bodyBytes, now };
}

function read<Desc extends DescMessage>(
  desc: Desc,
  bytes: Uint8Array,
  { binary }: Protocol,
  check?: (json: JsonValue) => void,
): MessageShape<Desc> {
  if (binary) return understood(() => fromBinary(desc, bytes, { readUnknownFields: false }));
  const json = parseJson(bytes, { exact: true }) as JsonValue;
  check?.(json);
  return understood(() => fromJson(desc, json));
}

/** Errors of protobuf's library are about the message. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof NearcastError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NearcastError("malformed_request", `The message cannot be read: ${reason}.`);
  }
}

function jsonOf<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(toJson(desc, message)));
}

async function isReady({ checkReady }: Service): Promise<boolean> {
  try {
    await checkReady();
    return true;
  } catch (error) {
    if (error instanceof NearcastError) return false;
    throw error;
  }
}

/** The model in a request of Triton's client or of KServe's. Refuses parameters that would change what is loaded. */
function changedModel(
  request: Pick<pb.RepositoryModelLoadRequest, "firstName" | "modelName" | "parameters">,
  known: readonly string[],
): string {
  const unknown = Object.keys(request.parameters).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalidInput([
      { path: `parameters.${unknown}`, message: "is not supported: leave it out" },
    ]);
  return request.modelName || request.firstName;
}

function withLongs<T extends { shape: readonly number[] }>({ shape, ...info }: T) {
  return { ...info, shape: shape.map(BigInt) };
}
