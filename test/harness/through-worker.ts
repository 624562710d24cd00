// A miniflare plugin (loaded by miniflare itself, see worker.ts). `unsafe:through-worker` binds a real R2Bucket or
// KVNamespace whose requests go to a Worker instead; `unsafe:transport` gives that Worker the way on. The application keeps
// workerd's own clients: objects, streams and errors are the real ones.
import { PLUGINS, type Plugin } from "miniflare";

interface UnsafeBinding {
  type: string;
  dev?: { options?: Record<string, unknown> | undefined } | undefined;
}

type Bindings = Exclude<Awaited<ReturnType<Plugin["getBindings"]>>, void>;

const plugin: Plugin = {
  async getBindings(options, shared, workerIndex) {
    const bindings: Bindings = [];
    const real: Bindings = [];
    for (const { getBindings } of [PLUGINS.r2, PLUGINS.kv])
      real.push(...((await getBindings(options, shared, workerIndex)) ?? []));
    for (const [name, binding] of Object.entries(options.config.env ?? {})) {
      const { type, dev } = binding as UnsafeBinding;
      if (type === "unsafe:through-worker") {
        const service = { name: `core:user:${String(dev?.options?.["worker"])}` };
        const isKv = dev?.options?.["kind"] === "kv";
        bindings.push(isKv ? { name, kvNamespace: service } : { name, r2Bucket: service });
      }
      if (type === "unsafe:transport") {
        const found = real.find((candidate) => candidate.name === dev?.options?.["binding"]);
        const service =
          found && "r2Bucket" in found
            ? found.r2Bucket
            : found && "kvNamespace" in found
              ? found.kvNamespace
              : undefined;
        if (!service) throw new Error(`${name} names no R2 or KV binding of its Worker`);
        bindings.push({ name, service });
      }
    }
    return bindings;
  },
  getNodeBindings: () => ({}),
  getServices: () => [],
};

export const plugins = { "through-worker": plugin };
