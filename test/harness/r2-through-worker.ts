// A miniflare plugin (loaded by miniflare itself, see worker.ts). `unsafe:r2-through-worker` binds a real
// R2Bucket whose requests go to a Worker instead of the bucket; `unsafe:r2-transport` gives that Worker
// the way on. The application keeps workerd's own R2 client: objects, streams and errors are the real ones.
import { PLUGINS, type Plugin } from "miniflare";

interface UnsafeBinding {
  type: string;
  dev?: { options?: Record<string, unknown> | undefined } | undefined;
}

type Bindings = Exclude<Awaited<ReturnType<Plugin["getBindings"]>>, void>;

const plugin: Plugin = {
  async getBindings(options, shared, workerIndex) {
    const bindings: Bindings = [];
    const buckets: Bindings = (await PLUGINS.r2.getBindings(options, shared, workerIndex)) ?? [];
    for (const [name, binding] of Object.entries(options.config.env ?? {})) {
      const { type, dev } = binding as UnsafeBinding;
      if (type === "unsafe:r2-through-worker") {
        bindings.push({
          name,
          r2Bucket: { name: `core:user:${String(dev?.options?.["worker"])}` },
        });
      }
      if (type === "unsafe:r2-transport") {
        const bucket = buckets.find((candidate) => candidate.name === dev?.options?.["binding"]);
        if (bucket === undefined || !("r2Bucket" in bucket) || bucket.r2Bucket === undefined) {
          throw new Error(`${name} names no R2 binding of its Worker`);
        }
        bindings.push({ name, service: bucket.r2Bucket });
      }
    }
    return bindings;
  },
  getNodeBindings: () => ({}),
  getServices: () => [],
};

export const plugins = { "r2-through-worker": plugin };
