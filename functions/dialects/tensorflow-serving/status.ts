/** What TensorFlow Serving's clients read of a model's status; every version in the store answers. */
export function versionStatus(versions: readonly string[]) {
  return {
    model_version_status: versions.map((version) => ({
      version,
      state: "AVAILABLE" as const,
      status: { error_code: "OK" as const, error_message: "" },
    })),
  };
}
