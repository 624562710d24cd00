import type { DurableObjectNamespace, Rpc } from "@cloudflare/workers-types";
import type { NotePlace } from "../../observe/feedback/notes.ts";

/** What a Durable Object does for notes. */
export interface NotingObject extends Rpc.DurableObjectBranded {
  putNote(key: string, text: string, keptSeconds: number): void;
  getNote(key: string): string | undefined;
  replaceNote(key: string, text: string, next: string, keptSeconds: number): boolean;
  deleteNote(key: string): boolean;
}

/** Keeps notes in 256 Durable Objects, by the first two digits of the key. No model has such a name. */
export function createObjectNotes(namespace: DurableObjectNamespace<NotingObject>): NotePlace {
  const objectOf = (key: string) => namespace.getByName(`~notes/${key.slice(0, 2)}`);
  return {
    async put(key, text, keptSeconds) {
      await objectOf(key).putNote(key, text, keptSeconds);
    },
    get: async (key) => objectOf(key).getNote(key),
    replace: async (key, text, next, keptSeconds) =>
      objectOf(key).replaceNote(key, text, next, keptSeconds),
    delete: async (key) => objectOf(key).deleteNote(key),
  };
}
