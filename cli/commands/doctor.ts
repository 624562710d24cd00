import { Option, type Command } from "commander";
import type { Finding } from "../doctor/finding.ts";
import { PLATFORMS, type PlatformName } from "../init/project.ts";
import { jsonOption, modelsOption } from "../options.ts";

interface Flags {
  platform?: PlatformName;
  url: string[];
  key?: string;
  stage?: string;
  models: string;
  store?: string;
  json?: true;
}

/** `nearcast doctor`. */
export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("say what is wrong or unwise about a configuration or a running deployment")
    .addOption(
      new Option("--platform <name>", "whose configuration (default: what is here)").choices(
        PLATFORMS,
      ),
    )
    .addOption(
      new Option("--url <url>", "a running deployment; again for another region")
        .argParser((url: string, before: string[]) => [...before, url])
        .default([], "none"),
    )
    .addOption(new Option("--key <key>", "an API key for it").env("NEARCAST_KEY"))
    .option("--stage <name>", "the stage of serverless.yml, or the environment of wrangler.toml")
    .option("--store <url>", "where the models lie, when the configuration does not say")
    .addOption(modelsOption())
    .addOption(jsonOption())
    .action(async (flags: Flags) => {
      const findings = await findAll(flags);
      const wrong = findings.filter(({ level }) => level === "wrong").length;
      if (flags.json) console.log(JSON.stringify({ wrong, findings }, undefined, 2));
      else print(findings);
      if (wrong > 0)
        throw new Error(wrong === 1 ? "1 thing is wrong." : `${wrong} things are wrong.`);
    });
}

async function findAll({ platform, url, key, ...options }: Flags): Promise<Finding[]> {
  const { examine, platformsHere } = await import("../doctor/examine.ts");
  const { compare, lookAt } = await import("../doctor/url.ts");
  // With a URL alone, the configuration in this folder may be another's.
  const platforms = platform ? [platform] : url.length > 0 ? [] : platformsHere();
  const { stage, models, store } = options;
  const findings: Finding[] = [];
  for (const one of platforms) findings.push(...(await examine(one, { stage, models, store })));
  const sights = [];
  for (const one of url) sights.push(await lookAt(one, key));
  return [...findings, ...sights.flatMap((sight) => sight.findings), ...compare(sights)];
}

const LEVELS = ["wrong", "unwise", "note"] as const;

function print(findings: readonly Finding[]): void {
  for (const level of LEVELS)
    for (const { where, what, fix } of findings.filter((one) => one.level === level)) {
      console.log(`${level === "note" ? "Note" : level.toUpperCase()}  ${where}: ${what}`);
      if (fix !== undefined) console.log(`       ${fix}`);
    }
  if (findings.every(({ level }) => level === "note")) console.log("Nothing is wrong or unwise.");
}
