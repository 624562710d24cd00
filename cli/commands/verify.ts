import type { Command } from "commander";
import { chooseAll } from "../choose-versions.ts";
import { writeExamples } from "../examples/files.ts";
import { mebibytes } from "../fit.ts";
import { besides } from "../compare.ts";
import { jsonOption, modelsOption } from "../options.ts";
import { openPackage, parseReference, type LocalPackage } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";
import { runtimesOf, withVerifyOptions, type VerifyFlags } from "../verify-options.ts";
import { describeTooLarge, spilloverOf, type Spillover } from "../spillover.ts";
import { verifyPackage, type Verification } from "../verify.ts";

interface Flags extends VerifyFlags {
  models: string;
  record?: true;
  all?: true;
  json?: true;
}

/** `nearcast verify <model[@version]>`, or with `--all` every version of every model. */
export function verifyCommand(program: Command): void {
  const command = withVerifyOptions(program.command("verify [model]"))
    .description(
      "check files, manifest and examples on both runtimes, and what the version needs on each platform; <model> is a name, or name@version (default: the newest)",
    )
    .option("--all", "every version of every model whose examples have recorded outputs")
    .option(
      "--record",
      "record the outputs of examples that have none, and how much memory the version takes; large examples get files of their own",
    )
    .addOption(modelsOption())
    .addOption(jsonOption());
  command.action(async (model: string | undefined, flags: Flags) => {
    if ((model === undefined) !== Boolean(flags.all))
      command.error("error: say what to verify: a model, a version as <model>@<version>, or --all");
    const { chosen, drafts } =
      model === undefined
        ? await chooseAll(flags.models)
        : { chosen: [await openPackage(flags.models, parseReference(model))], drafts: [] };
    for (const draft of drafts) process.stderr.write(`not verified: ${draft}\n`);
    for (const local of chosen) await verify(local, flags);
  });
}

async function verify(local: LocalPackage, flags: Flags): Promise<void> {
  const { recorded, ...verification } = await verifyPackage(local, {
    runtimes: runtimesOf(flags),
    tolerance: flags.tolerance,
    record: flags.record ?? false,
  });
  if (recorded) await writeExamples(local.folder, recorded, verification);
  const { models, manifest } = local;
  const spillover = await spilloverOf(recorded ? await openPackage(models, manifest) : local);
  if (flags.json)
    console.log(JSON.stringify({ ...verification, spillover, recorded: Boolean(recorded) }));
  else
    console.log([report(verification, recorded?.length), ...spilloverLines(spillover)].join("\n"));
}

function spilloverLines(spillover: Spillover | undefined): string[] {
  if (!spillover) return [];
  return [
    `  Cloudflare Workers: spills, since ${describeTooLarge(spillover)}. A Worker with SPILL_URL forwards its calls (docs/spillover.md), another refuses them with 507.`,
    `  Spilled to Lambda: a million calls cost about $${spillover.dollarsPerMillion.toFixed(2)}, the Worker's part included (nearcast cost has the lines).`,
  ];
}

function report(
  {
    model,
    version,
    examples,
    differences,
    betweenRuntimes,
    rounded,
    beginning,
    fit,
  }: Omit<Verification, "recorded">,
  recorded: number | undefined,
): string {
  const lines = [`${model}@${version} is good to publish.`];
  lines.push(`  ${examples} examples${recorded ? ", outputs recorded now" : ""}`);
  for (const [runtime, difference] of Object.entries(differences))
    lines.push(
      `  ${runtime}: largest difference to the recorded outputs ${difference}${besides(rounded.includes(runtime as RuntimeName))}`,
    );
  if (betweenRuntimes !== undefined)
    lines.push(
      `  native and WASM: largest difference ${betweenRuntimes}${besides(rounded.includes("between"))}`,
    );
  if (beginning !== undefined) lines.push(`  ${beginning}`);
  for (const { platform, what, bytes, limit } of fit)
    lines.push(
      `  ${platform}: ${what} ${mebibytes(bytes)}${limit ? ` of ${mebibytes(limit)}` : ""}`,
    );
  return lines.join("\n");
}
