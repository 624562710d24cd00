import type { Feature } from "@nearcast/client";
import { onMounted, onScopeDispose, ref, shallowRef } from "vue";
import { client } from "./nearcast.ts";

/** The features of the released version, with units and ranges. */
export function useFeatures(model: "iris") {
  const features = ref<Feature[]>([]);
  const error = shallowRef<Error>();
  const controller = new AbortController();
  async function read(): Promise<void> {
    try {
      features.value = (await client.model(model, { signal: controller.signal })).features ?? [];
      error.value = undefined;
    } catch (reason) {
      if (!controller.signal.aborted) error.value = reason as Error;
    }
  }
  onMounted(read);
  onScopeDispose(() => controller.abort());
  return { features, error, read };
}
