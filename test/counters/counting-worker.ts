import type { DurableObjectNamespace } from "@cloudflare/workers-types";
import {
  createObjectCounters,
  type CountingObject,
} from "../../functions/platform/counters/durable-object.ts";
import { createGatheredCounters } from "../../functions/platform/counters/gathered.ts";
import { countersContract } from "../../functions/testing.ts";

export { ModelState } from "../../functions/platform/model-state.ts";

/** A Worker that runs one case of the contract, with Durable Objects. */
export default {
  async fetch(
    request: Request,
    { MODEL_STATE }: { MODEL_STATE: DurableObjectNamespace<CountingObject> },
  ): Promise<Response> {
    const open = () =>
      createGatheredCounters(createObjectCounters(MODEL_STATE), {
        log: (entry) => console.log(entry),
        schedule: () => true,
        isolatesRequests: true,
      });
    const wanted = await request.text();
    const found = countersContract(open).find(({ name }) => name === wanted);
    try {
      await found?.run();
      return new Response(found ? "kept" : "unknown");
    } catch (error) {
      return new Response(String(error));
    }
  },
};
