import { createHash, randomBytes } from "node:crypto";
import { Option, type Command } from "commander";
import { apiKeysSchema, type ApiKeyEntry } from "../../functions/auth/api-keys.ts";
import { plainIssue } from "../../functions/plain-issue.ts";

interface Flags {
  name: string;
  scopes?: string[];
  models?: string[];
  rate?: string;
  expires?: string;
}

const KEY_BYTES = 32;

/** `nearcast key --name <name>`: the key, which is shown nowhere else, and its entry for `API_KEYS`. */
export function keyCommand(program: Command): void {
  program
    .command("key")
    .description(
      "make an API key: prints the key, which is stored nowhere, and its entry for API_KEYS",
    )
    .requiredOption("--name <name>", "who gets it; two entries of one name are a key in rotation")
    .addOption(
      listOption(
        "--scopes <scopes>",
        "of predict, read, admin, metrics and override (default: predict,read)",
      ),
    )
    .addOption(listOption("--models <names>", "the models it may use (default: all)"))
    .option("--rate <rows/seconds>", "its own limit, such as 100/60s")
    .option("--expires <date>", "until when it works, such as 2027-01-31 or 2027-01-31T12:00:00Z")
    .action((flags: Flags) => {
      const key = `nc_${randomBytes(KEY_BYTES).toString("base64url")}`;
      const entry = checked({
        name: flags.name,
        sha256: createHash("sha256").update(key).digest("hex"),
        scopes: (flags.scopes ?? ["predict", "read"]) as ApiKeyEntry["scopes"],
        models: flags.models,
        rate: flags.rate,
        expires: flags.expires,
      });
      console.log(key);
      console.log(JSON.stringify(entry));
      console.error(
        "The first line is the key: give it to its user. The second is its entry: add it to the array in API_KEYS.",
      );
    });
}

function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => text.split(","));
}

/** The entry, if the server would accept it. */
function checked(entry: ApiKeyEntry): ApiKeyEntry {
  const result = apiKeysSchema.safeParse(JSON.stringify([entry]));
  if (result.success) return entry;
  const problems = result.error.issues.map(
    ({ path: [, name = ""], message }) => `--${String(name)}: ${plainIssue(message)}`,
  );
  throw new Error(problems.join("; "));
}
