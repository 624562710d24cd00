import { InvalidArgumentError, Option, type Command } from "commander";
import { releasedVersions } from "../deploy/models.ts";
import { smoke } from "../smoke.ts";
import { withSmokeOptions, type SmokeFlags } from "../smoke-options.ts";
import { withStore } from "../store.ts";

interface Flags extends SmokeFlags {
  key?: string;
  deployment?: string;
  store?: string;
}

/** `nearcast smoke <url>`. */
export function smokeCommand(program: Command): void {
  withSmokeOptions(program.command("smoke").argument("<url>", "the deployment", httpUrl))
    .description(
      "ask a deployment for the examples of its released models; exit with 0 only when it is ready and answers as recorded",
    )
    .addOption(
      new Option("--key <key>", "an API key for it, with the scopes read and predict").env(
        "NEARCAST_KEY",
      ),
    )
    .option("--deployment <id>", "its DEPLOYMENT_ID: answers of another one do not count")
    .option("--store <url>", "its store: what is released there must answer")
    .action(async (url: string, { key, deployment, store, tolerance, wait }: Flags) => {
      const lines = await smoke({
        url,
        ...(key && { key }),
        ...(deployment && { answeredBy: { is: deployment } }),
        ...(store && { released: () => withStore(store, {}, releasedVersions) }),
        tolerance,
        waitSeconds: wait,
      });
      for (const line of lines) console.log(line);
    });
}

/** Variables of CI that are not set are empty. */
function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("It is not a URL such as https://models.example.com.");
}
