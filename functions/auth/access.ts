import type { Registry } from "../model/registry.ts";
import type { Caller, Scope } from "./caller.ts";
import { forbidden } from "./refusals.ts";

/** Throws `forbidden` when the caller does not have the scope. */
export function requireScope({ scopes }: Caller, scope: Scope): void {
  if (!scopes.has(scope))
    throw forbidden(`This needs the scope ${scope}, which you do not have.`, scope);
}

export function mayUse({ models }: Caller, model: string): boolean {
  return models?.has(model) ?? true;
}

/** The registry, limited to what the caller may use for one purpose. Throws `forbidden` without the scope. */
export type RegistryFor = (caller: Caller, scope: Scope) => Registry;

/**
 * The only way from a request to models. A model that the caller may not use is `forbidden`, whether or not it
 * exists, and lists leave it out.
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
    resolve(name, wanted) {
      check(name);
      return registry.resolve(name, wanted);
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
