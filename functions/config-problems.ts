import type * as z from "zod";
import { nearest } from "./near-miss.ts";
import type { PlatformName, Variable } from "./variable.ts";

/** The environment cannot be used; `problems` has a line for each bad variable. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((line) => `  ${line}`).join("\n")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

type Table = Readonly<Record<string, Variable>>;

/** The values to check. */
interface Reading {
  table: Table;
  /** All variables of the process, not only Nearcast's. */
  environment: Record<string, unknown>;
  /** The variables of the table that are set. */
  given: Record<string, unknown>;
  platform: PlatformName;
  /** The mistakes that the schemas found. */
  issues: readonly z.core.$ZodIssue[];
}

/** A line for each bad variable; empty when all are good. */
export function problemsIn({ table, environment, given, platform, issues }: Reading): string[] {
  const problems = new Set([
    ...misspelled(table, environment),
    ...unsupported(table, given, platform),
  ]);
  for (const { path, message } of issues)
    problems.add(`${path.join(".")}: ${message}${notThis(table, given, path, message)}`);
  return [...problems];
}

/** Shows the given value, unless it is secret or already in the message. */
function notThis(
  table: Table,
  given: Record<string, unknown>,
  path: readonly PropertyKey[],
  message: string,
): string {
  const [first, ...inside] = path;
  const name = String(first);
  const value = given[name];
  const shown =
    !table[name]?.secret &&
    inside.length === 0 &&
    message.startsWith("must be ") &&
    !message.includes(" not ");
  return shown && value !== undefined
    ? `, not ${JSON.stringify(value).slice(0, LONGEST_SHOWN)}`
    : "";
}

const LONGEST_SHOWN = 80;

const WORDS: Record<PlatformName, string> = {
  cloudflare: "Workers",
  lambda: "Lambda",
  node: "Node",
};

/** A line for each variable that this platform does not have. */
function* unsupported(
  table: Table,
  given: Record<string, unknown>,
  platform: PlatformName,
): Generator<string> {
  for (const [name, { schema, on, elsewhere, instead, only }] of Object.entries(table)) {
    if (given[name] === undefined) continue;
    const one = only?.[platform];
    if (one !== undefined && given[name] !== one)
      yield `${name}: must be ${one} on ${WORDS[platform]}`;
    if (!on || on.includes(platform) || elsewhere === "ignored") continue;
    const value = schema.safeParse(given[name]);
    const usual = schema.safeParse(undefined);
    if (value.success && usual.success && value.data === usual.data) continue;
    const where = on.map((other) => WORDS[other]).join(" and ");
    const hint = instead?.[platform];
    yield `${name}: is for ${where}, not for ${WORDS[platform]}${hint ? `, where ${hint}` : ""}`;
  }
}

/** Names of other programs' variables that are close to ours. */
const NAMES_OF_OTHERS = new Set(["API_KEY", "CACHEDIR", "CCACHE_DIR", "WORKER"]);

/** A line for each name that is probably a misspelling of a variable that is not set. */
function* misspelled(table: Table, environment: Record<string, unknown>): Generator<string> {
  const unset = Object.keys(table).filter((name) => !environment[name]);
  for (const [name, value] of Object.entries(environment)) {
    // On Workers the environment also has bindings, with any names. They are not strings.
    if (typeof value !== "string" || value === "") continue;
    if (Object.hasOwn(table, name) || NAMES_OF_OTHERS.has(name)) continue;
    // The first letter must be right: people seldom mistake it, and PAGE_LIMIT means something else. This test comes
    // first, because comparing all names took a tenth of a cold start with many variables.
    const initial = name[0]?.toUpperCase();
    if (
      !nearest(
        name,
        unset.filter((other) => other[0] === initial),
      )
    )
      continue;
    const meant = nearest(name, unset);
    if (meant?.[0] === initial)
      yield `${name} is not a variable of Nearcast: did you mean ${meant}?`;
  }
}
