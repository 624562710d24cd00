/**
 * Keeps native ONNX Runtime from reporting its use. Its packages for Linux and macOS otherwise write
 * an id of the device to the home folder, start a thread, and send events to Microsoft. To be called before the first
 * session. Whoever wants these reports sets `ORT_DISABLE_TELEMETRY` to `0`.
 */
export function disableTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
}
