import { DurableObject } from "cloudflare:workers";
import type { Batch } from "./counters/gathered.ts";
import { createStoredNotes } from "./notes/stored-notes.ts";
import { createStoredSums } from "./counters/stored-sums.ts";

/**
 * What all isolates of a Worker know of one model: a Durable Object of the model's name, or "*" for what belongs to no
 * model. It is bound as `MODEL_STATE`, and the Worker's entry exports it.
 */
export class ModelState extends DurableObject {
  readonly #notes = createStoredNotes(this.ctx.storage.kv);
  readonly #sums = createStoredSums(this.ctx.storage.kv);

  /** Adds a batch of an isolate. */
  add(batch: Batch): void {
    this.#sums.add(batch);
  }

  putNote(key: string, text: string, keptSeconds: number): void {
    this.#notes.put(key, text, keptSeconds);
  }

  getNote(key: string): string | undefined {
    return this.#notes.get(key);
  }

  replaceNote(key: string, text: string, next: string, keptSeconds: number): boolean {
    return this.#notes.replace(key, text, next, keptSeconds);
  }

  /** The sums of the group of this name. */
  read(name: string): Map<string, number> {
    return this.#sums.read(name);
  }
}
