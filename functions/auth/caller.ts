import type { Rate } from "../limits/rate.ts";

/** What a caller may do: ask for predictions, read about models, change what is in memory. */
export const SCOPES = ["predict", "read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks, and what they may do. */
export interface Caller {
  /** The name of the API key, or `jwt:` and the subject of the token: no subject can pass for a key. */
  name: string;
  scopes: ReadonlySet<Scope>;
  /** The models the caller may use; all of them when absent. */
  models?: ReadonlySet<string>;
  /** What the caller's own key allows; the deployment's rate when absent. */
  rate?: Rate;
}

/** Everyone, where no authentication is asked for. */
export const ANYONE: Caller = { name: "anonymous", scopes: new Set(SCOPES) };

/** Whoever has not said who they are, where that is asked for. */
export const NOBODY: Caller = { name: "anonymous", scopes: new Set() };
