import type { Manifest, TensorInfo } from "../../model/manifest.ts";

const PLATFORM = "onnx_onnxv1";

/** `GET /v2` */
export function serverMetadata(version: string) {
  return {
    name: "nearcast",
    version,
    extensions: ["binary_tensor_data", "model_repository", "model_configuration", "statistics"],
  };
}

/** `GET /v2/models/{model}` */
export function modelMetadata(manifest: Manifest, versions: readonly string[]) {
  return {
    name: manifest.name,
    versions,
    platform: PLATFORM,
    inputs: manifest.inputs.map(tensorMetadata),
    outputs: manifest.outputs.map(tensorMetadata),
  };
}

/**
 * `GET /v2/models/{model}/config`, in the form of Triton's model configuration. With a `max_batch_size` of 0, `dims`
 * are whole shapes instead of shapes of one row.
 */
export function modelConfiguration(manifest: Manifest) {
  return {
    name: manifest.name,
    platform: PLATFORM,
    backend: "onnxruntime",
    version_policy: { specific: { versions: [manifest.version] } },
    max_batch_size: 0,
    input: manifest.inputs.map(tensorConfiguration),
    output: manifest.outputs.map(tensorConfiguration),
    default_model_filename: manifest.artifact.file,
  };
}

function tensorMetadata({ name, datatype, shape }: TensorInfo) {
  return { name, datatype, shape };
}

function tensorConfiguration({ name, datatype, shape }: TensorInfo) {
  return { name, data_type: `TYPE_${datatype === "BYTES" ? "STRING" : datatype}`, dims: shape };
}
