import { InvalidArgumentError, Option, type Command } from "commander";
import type { PreviewOptions } from "../deploy/preview.ts";
import { modelsOption } from "../options.ts";
import { smoke } from "../smoke.ts";
import { withSmokeOptions, type SmokeFlags } from "../smoke-options.ts";

interface Flags extends SmokeFlags {
  name: string;
  models: string;
  entry?: string;
  remove?: true;
  key?: string;
}

/** `nearcast preview cloudflare --name <name>` and `nearcast preview lambda --name <name>`. */
export function previewCommand(program: Command): void {
  const preview = program
    .command("preview")
    .description(
      "deploy beside what is deployed, with a URL of its own, and ask it; or remove that",
    );
  for (const platform of ["cloudflare", "lambda"] as const)
    withSmokeOptions(preview.command(`${platform} [options...]`))
      .description(
        platform === "cloudflare"
          ? "a preview of the Worker; after -- options for wrangler"
          : "a stage of its own, with a bucket of its own; after -- options for osls",
      )
      .requiredOption("--name <name>", "such as pr-12", previewName)
      .option("--entry <file>", "the module that exports handler (default: src/lambda.ts)")
      .option("--remove", "remove it and all that it has")
      .addOption(new Option("--key <key>", "an API key for it").env("NEARCAST_KEY"))
      .addOption(modelsOption())
      .action(async (others: string[], flags: Flags) => {
        const { name, models, entry, key, tolerance, wait } = flags;
        const own = { name, models, others, id: crypto.randomUUID() };
        const options: PreviewOptions = { ...own, ...(entry && { entry }) };
        const { previewCloudflare, previewLambda, removeCloudflare, removeLambda } =
          await import("../deploy/preview.ts");
        if (flags.remove) {
          await (platform === "cloudflare" ? removeCloudflare : removeLambda)(options);
          return console.log(`${name} is removed.`);
        }
        const { url, id } = await (platform === "cloudflare" ? previewCloudflare : previewLambda)(
          options,
        );
        console.log(`${name} is at ${url}`);
        const answeredBy = id !== undefined && { answeredBy: { is: id } };
        const asked = { url, ...(key && { key }), ...answeredBy, tolerance, waitSeconds: wait };
        for (const line of await smoke(asked)) console.log(line);
      });
}

/** `--remove` takes a bucket away with it, and `infra/aws/stage.cjs` knows a preview by this name. */
function previewName(text: string): string {
  if (/^pr-\d+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be pr- and a number, such as pr-12.");
}
