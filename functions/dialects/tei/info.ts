import type { Config } from "../../config.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import type { ModelVersion } from "../../model/registry.ts";
import { MAX_TOKENS_PER_RUN } from "../../tasks/check-tensors.ts";
import type { textOptions } from "../../tasks/text/options.ts";
import { DATATYPES } from "../../tensor.ts";
import { VERSION } from "../../version.ts";

/** What TEI says of the model that it serves. */
export function infoOf(
  { manifest, limits }: ModelVersion,
  { maxConcurrency }: Pick<Config, "maxConcurrency">,
) {
  const { text } = manifest as ManifestOf<typeof textOptions>;
  const datatype = manifest.outputs[0]?.datatype ?? "FP32";
  return {
    model_id: manifest.name,
    model_sha: manifest.artifact.sha256,
    model_dtype: DATATYPES[datatype].ort,
    model_type: typeOf(manifest.task, manifest.labels ?? ["LABEL_0"], text?.pooling ?? "mean"),
    max_concurrent_requests: maxConcurrency,
    max_input_length: text?.maxLength ?? limits.textLength,
    max_batch_tokens: MAX_TOKENS_PER_RUN,
    max_batch_requests: null,
    max_client_batch_size: limits.batch,
    auto_truncate: false,
    tokenization_workers: 1,
    version: VERSION,
    sha: null,
    docker_label: null,
  };
}

function typeOf(task: string, labels: readonly string[], pooling: string): object {
  if (task === "feature-extraction") return { embedding: { pooling } };
  const id2label = Object.fromEntries(labels.map((label, id) => [String(id), label]));
  const label2id = Object.fromEntries(labels.map((label, id) => [label, id]));
  return { [task === "text-ranking" ? "reranker" : "classifier"]: { id2label, label2id } };
}
