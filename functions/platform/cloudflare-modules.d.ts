// Modules that workerd and wrangler's bundler provide, and no npm package.
declare module "cloudflare:workers" {
  export const env: Record<string, unknown>;
  export const tracing: {
    enterSpan<T>(name: string, work: () => T): T;
    getActiveSpan(): { isTraced: boolean } | undefined;
  };
  export function waitUntil(promise: Promise<unknown>): void;
  export function withEnv<T>(other: Record<string, unknown>, work: () => T): T;
  export class DurableObject<Env = Record<string, unknown>> {
    constructor(ctx: import("@cloudflare/workers-types").DurableObjectState, env: Env);
    protected ctx: import("@cloudflare/workers-types").DurableObjectState;
    protected env: Env;
  }
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** Made by infra/build-package-files.ts; package.json says where it lies. */
declare module "#onnxruntime-web-factory" {
  export const createOrt: import("../runtime/onnxruntime-web-factory.ts").CreateOrt;
}

/** Wrangler's rule for data gives the file's bytes. */
declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}
