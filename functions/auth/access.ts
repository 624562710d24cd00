import { forbidden } from "./refusals.ts";
import type { Rate } from "../limits/rate.ts";
import type { Registry } from "../model/registry.ts";

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

/** Throws `forbidden` when the caller does not have the scope. */
export function requireScope({ scopes }: Caller, scope: Scope): void {
  if (!scopes.has(scope))
    throw forbidden(`This needs the scope ${scope}, which you do not have.`, scope);
}

export function mayUse({ models }: Caller, model: string): boolean {
  return models?.has(model) ?? true;
}

/** The registry as a caller may use it for one purpose. Throws `forbidden` without the scope. */
export type RegistryFor = (caller: Caller, scope: Scope) => Registry;

/**
 * The only way from a request to models. A model that the caller may not use is `forbidden` whether or
 * not there is one, and left out of lists.
 */
export function createAccess(registry: Registry): RegistryFor {
  return (caller, scope) => {
    requireScope(caller, scope);
    return caller.models ? narrowed(registry, caller) : registry;
  };
}

function narrowed(registry: Registry, caller: Caller): Registry {
  const check = (name: string): void => {
    if (!mayUse(caller, name)) throw forbidden("You may not use the model of this name.");
  };
  return {
    ...registry,
    async resolve(name, version) {
      check(name);
      return registry.resolve(name, version);
    },
    async release(name) {
      check(name);
      return registry.release(name);
    },
    async versions(name) {
      if (name !== undefined) check(name);
      const versions = await registry.versions(name);
      return new Map([...versions].filter(([model]) => mayUse(caller, model)));
    },
  };
}
