import type { Rate } from "../limits/rate.ts";

/**
 * What a caller may do: ask for predictions, read about models, load and unload them, read metrics, or choose the
 * version that answers with a header.
 */
export const SCOPES = ["predict", "read", "admin", "metrics", "override"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks, and what they may do. */
export interface Caller {
  /**
   * The name of the API key, or `jwt:` and the subject of the token. The prefix prevents a subject from looking like a
   * key's name.
   */
  name: string;
  scopes: ReadonlySet<Scope>;
  /** The models the caller may use; all of them when absent. */
  models?: ReadonlySet<string>;
  /** The rate of the caller's own key. The deployment's rate when absent. */
  rate?: Rate;
}

/** The caller where no authentication is needed: everyone. */
export const ANYONE: Caller = { name: "anonymous", scopes: new Set(SCOPES) };

/** By what a call gets its version while others are on trial: the key that it brings, else its caller, else its own id. */
export function assignmentKey(caller: Caller, key?: string, id?: string): string | undefined {
  return key || (caller === ANYONE ? id : caller.name);
}

/** The caller before authentication, where it is needed. */
export const NOBODY: Caller = { name: "anonymous", scopes: new Set() };
