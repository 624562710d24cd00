import type { Caller } from "../auth/caller.ts";
import type { Platform } from "../platform/types.ts";

/**
 * Makes the keys of what callers have under their ids. Callers who choose the same id have different keys. `prefix` keeps
 * kinds apart. The returned function rejects with `none` for an id with a line break: nothing has such an id, and it could be
 * the end of another caller's name and an id.
 */
export function createKeyOf(
  { sha256 }: Pick<Platform, "sha256">,
  prefix: string,
  none: (id: string) => Error,
): (caller: Pick<Caller, "name">, id: string) => Promise<string> {
  return async ({ name }, id) => {
    if (id.includes("\n")) throw none(id);
    return sha256(`${prefix}${name}\n${id}`);
  };
}
