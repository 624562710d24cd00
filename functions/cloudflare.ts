import { env, tracing, waitUntil } from "cloudflare:workers";
import { createOrt } from "#onnxruntime-web-factory";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createApp, type Options } from "./app.ts";
import { loadDecoder } from "./platform/bundled-decoders.ts";
import { createPlatform, type CloudflarePlatform } from "./platform/cloudflare.ts";
import type { InSpan } from "./observe/phases.ts";
import type { PackagedModel } from "./platform/packaged-modules.ts";
import { createService } from "./service.ts";

export { ModelState } from "./platform/model-state.ts";

/** What a Worker brings along besides its code. */
interface WorkerOptions {
  /**
   * Models whose artifacts are in the Worker too, so that a first request need not fetch them. The store's release still
   * decides which version answers.
   */
  packaged?: readonly PackagedModel[];
}

const inSpan: InSpan = (name, work) => tracing.enterSpan(name, () => work());

/**
 * Phases in the traces that `[observability]` of wrangler.toml switches on. Of most requests there is no trace, and five
 * spans that nobody reads would take as long as all that is checked and answered.
 */
const spans = () => (tracing.getActiveSpan()?.isTraced ? inSpan : undefined);

/**
 * The platform of this Worker, from its bindings. Throws an Error that says what is wrong with them.
 *
 * @example
 * const platform = createCloudflarePlatform();
 * const app = new Hono().route("/ml", createApp(createService(platform)));
 * export default { fetch: app.fetch, queue: platform.queue };
 */
export function createCloudflarePlatform({
  packaged = [],
}: WorkerOptions = {}): CloudflarePlatform {
  return createPlatform({ env, waitUntil, spans, wasm, createOrt, loadDecoder, packaged });
}

/**
 * The whole service as a Worker, with its jobs where wrangler.toml binds a queue. Its entry exports {@link ModelState}
 * too, where wrangler.toml binds it. With a cron trigger, it removes captured inputs that have expired.
 *
 * @example export default createWorker();
 */
export function createWorker(options: Options & WorkerOptions = {}) {
  const platform = createCloudflarePlatform(options);
  const service = createService(platform, options);
  const app = createApp(service, options);
  return Object.assign(app, { queue: platform.queue, scheduled: service.removeExpired });
}
