import { base } from "./api.ts";

/** Of this service only: other apps may be on the same origin. */
const NAME = `nearcast key of ${base.pathname}`;

/** The key that this tab has. It ends with the tab. Empty if there is none. */
export function keptKey(): string {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    // The browser forbids storage: then the key ends with the page.
    return "";
  }
}

/** Keeps the key in this tab. An empty one is forgotten. */
export function keepKey(key: string): void {
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch {
    // As above.
  }
}
