/**
 * Native ONNX Runtime's package, without its telemetry. For Linux and macOS it otherwise writes an id of the device to
 * the home folder, starts a thread, and sends events to Microsoft. It reads the variable before its first session.
 * Whoever wants these reports sets `ORT_DISABLE_TELEMETRY` to `0`.
 */
export { InferenceSession, Tensor } from "onnxruntime-node";

process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
