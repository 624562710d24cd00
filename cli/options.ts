import { InvalidArgumentError, Option, type Command } from "commander";

export interface StoreFlags {
  store: string;
  local?: true;
  persistTo?: string;
}

/** `--models`: the folder in which packages are made and looked at before they are pushed. */
export function modelsOption(): Option {
  return new Option("--models <folder>", "folder of the packages").default("models");
}

/** Names that are separated by commas. */
export function commas(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

/** `--with`: models whose artifacts travel in the function's package. */
export function withOption(): Option {
  return new Option(
    "--with <models>",
    "models whose artifacts are in the package too, so that a cold start need not fetch them: iris,search@2",
  )
    .argParser(commas)
    .default([], "none");
}

/** `--store` and what goes with it. */
export function withStoreOptions(command: Command): Command {
  return withLocalOptions(
    command.addOption(
      new Option("--store <url>", "folder, s3://bucket/prefix or r2://bucket/prefix")
        .env("STORE")
        .default("models"),
    ),
  );
}

export function withLocalOptions(command: Command): Command {
  return command
    .option("--local", "r2:// is the bucket of `wrangler dev`")
    .option("--persist-to <folder>", "the folder of `wrangler dev --persist-to`");
}

export function jsonOption(): Option {
  return new Option("--json", "print JSON");
}

export function runtimeOption(choices: readonly string[], fallback: string): Option {
  return new Option("--runtime <name>", "where to run").choices([...choices]).default(fallback);
}

/** Reads an option's number. Anything else is a usage error. */
export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new InvalidArgumentError("It is not a number.");
  return value;
}

/** Reads an option's JSON object. Anything else is a usage error. */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgumentError('It is not a JSON object such as {"dimensions": 64}.');
  return value as Record<string, unknown>;
}

/** Reads an option's share in percent. Anything else is a usage error. */
export function percentage(text: string): number {
  const value = numberOf(text);
  if (value < 0 || value > 100)
    throw new InvalidArgumentError("It is not a percentage from 0 to 100.");
  return value;
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Reads an option's time, such as `90s`, `10m`, `2h` or `1d`, as seconds. Anything else is a usage error. */
export function seconds(text: string): number {
  const [, count = "", unit = ""] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const value = Number(count) * UNITS[unit as keyof typeof UNITS];
  if (!(value > 0)) throw new InvalidArgumentError("It is not a time such as 90s, 10m, 2h or 1d.");
  return value;
}

/** Reads an option's whole number from 1 on. Anything else is a usage error. */
export function positiveInteger(text: string): number {
  const value = numberOf(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It is not a whole number from 1 on.");
  return value;
}
