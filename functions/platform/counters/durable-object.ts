import type { DurableObjectNamespace, Rpc } from "@cloudflare/workers-types";
import type { Batch, Place } from "./gathered.ts";

/** What a Durable Object of a model does for the isolates. */
export interface CountingObject extends Rpc.DurableObjectBranded {
  add(batch: Batch): void;
  read(name: string): Map<string, number>;
}

/** The sums of all isolates, in one Durable Object for each model. */
export function createObjectCounters(namespace: DurableObjectNamespace<CountingObject>): Place {
  return {
    async add(batch) {
      await namespace.getByName(batch.model).add(batch);
    },
    async read({ model, name }) {
      return namespace.getByName(model).read(name);
    },
  };
}
