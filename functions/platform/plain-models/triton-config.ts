import { parseTextFormat, type TextMessage, type TextValue } from "./text-format.ts";

/** What Triton's `config.pbtxt` says that changes which file answers. */
export interface TritonConfig {
  /** The model's file in each version's folder. */
  file?: string | undefined;
  /** Of these versions, those that are served. */
  served: (versions: readonly string[]) => string[];
}

const ONNX = new Set(["onnxruntime", "onnxruntime_onnx"]);

/** Fields that make the server do something else than run the graph with the tensors of the request. */
const OTHERWISE: Record<string, string> = {
  ensemble_scheduling: "it is an ensemble of other models",
  sequence_batching: "it keeps a state between requests",
  model_transaction_policy: "it answers one request several times",
};

/**
 * Reads `config.pbtxt`. Triton's settings of speed change no answer and are not read. Throws an Error for another
 * model's name, another backend, and what Nearcast would answer otherwise.
 */
export function readTritonConfig(text: string, model: string): TritonConfig {
  const config = parseTextFormat(text);
  const named = textOf(config, "name");
  if (named !== undefined && named !== model)
    throw new Error(`it says name: ${JSON.stringify(named)}, and the model is ${model}`);
  const backend = textOf(config, "backend") ?? textOf(config, "platform");
  if (backend !== undefined && !ONNX.has(backend))
    throw new Error(`it is a model of ${backend}, and Nearcast runs those of onnxruntime`);
  for (const [field, reason] of Object.entries(OTHERWISE))
    if (config.has(field)) throw new Error(`${reason} (${field}), which Nearcast does not do`);
  const tensors = [...messagesOf(config, "input"), ...messagesOf(config, "output")];
  if (tensors.some((tensor) => tensor.has("reshape")))
    throw new Error("it reshapes a tensor (reshape), which Nearcast does not do");
  const [policy] = messagesOf(config, "version_policy");
  return {
    file: textOf(config, "default_model_filename"),
    served: (versions) => chosen(policy, versions),
  };
}

/** Triton serves the newest version where its config says nothing. */
export const WITHOUT_CONFIG: TritonConfig = { served: (versions) => chosen(undefined, versions) };

function chosen(policy: TextMessage | undefined, versions: readonly string[]): string[] {
  const sorted = versions.toSorted((one, other) => Number(one) - Number(other));
  if (policy?.has("all")) return sorted;
  const [specific] = messagesOf(policy, "specific");
  if (specific) {
    const wanted = (specific.get("versions") ?? []).map(String);
    const missing = wanted.find((version) => !sorted.includes(version));
    if (missing !== undefined)
      throw new Error(`its version_policy wants version ${missing}, which has no folder`);
    return sorted.filter((version) => wanted.includes(version));
  }
  const [latest] = messagesOf(policy, "latest");
  const [count = 1] = latest?.get("num_versions") ?? [];
  return sorted.slice(-Number(count));
}

function textOf(message: TextMessage, field: string): string | undefined {
  const value = message.get(field)?.at(-1);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function messagesOf(message: TextMessage | undefined, field: string): TextMessage[] {
  return (message?.get(field) ?? []).filter(isMessage);
}

function isMessage(value: TextValue): value is TextMessage {
  return value instanceof Map;
}
