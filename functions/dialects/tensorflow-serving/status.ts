/** A model's status for TensorFlow Serving's clients. Every version in the store is available. */
export function versionStatus(versions: readonly string[]) {
  return {
    model_version_status: versions.map((version) => ({
      version,
      state: "AVAILABLE" as const,
      status: { error_code: "OK" as const, error_message: "" },
    })),
  };
}
