import { mkdir } from "node:fs/promises";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { chooseAll, chooseVersion } from "../choose-versions.ts";
import { modelsOption, withLocalOptions } from "../options.ts";
import { label, parseReference, type LocalPackage } from "../package-folder.ts";
import { pushPackage, type PushProgress } from "../push.ts";
import { releasePushed, type Pushed } from "../release-pushed.ts";
import { releaseNote } from "../releases.ts";
import { isFolder, withStore } from "../store.ts";
import { runtimesOf, withVerifyOptions, type VerifyFlags } from "../verify-options.ts";
import { verifyPackage } from "../verify.ts";

interface Flags extends VerifyFlags {
  models: string;
  to: string;
  all?: true;
  release?: true;
  by?: string;
  why?: string;
  local?: true;
  persistTo?: string;
}

/** `nearcast push <model[@version]> --to <store>`, or with `--all` every version of every model. */
export function pushCommand(program: Command): void {
  const command = program
    .command("push [model]")
    .description(
      "verify a version, then upload it, its manifest last; nothing answers from it before a release. <model> is name@version, or a name (its newest version whose examples have recorded outputs)",
    )
    .requiredOption("--to <url>", "folder, s3://bucket/prefix or r2://bucket/prefix")
    .option("--all", "every version of every model whose examples have recorded outputs")
    .option(
      "--release",
      "then release it; of several versions the one in <model>/release.json, else the newest",
    )
    .option("--by <who>", "who releases (default: the CI account or the user)")
    .option("--why <text>", "why, for the history of the release")
    .addOption(modelsOption());
  withLocalOptions(withVerifyOptions(command)).action(
    async (model: string | undefined, flags: Flags) => {
      const wrong = wrongUsage(model, flags);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
      const reference = model === undefined ? undefined : parseReference(model);
      const { chosen, drafts } = reference
        ? await chooseVersion(flags.models, reference)
        : await chooseAll(flags.models);
      for (const draft of drafts) process.stderr.write(`not pushed: ${draft}\n`);
      await verifyAll(chosen, flags);
      if (isFolder(flags.to)) await mkdir(flags.to, { recursive: true });
      await withStore(flags.to, flags, async (store) => {
        const pushed: Pushed[] = [];
        for (const local of chosen) {
          const { uploaded } = await pushPackage(local, store, showProgress());
          const { name, version } = local.manifest;
          pushed.push({ name, version, isNew: uploaded > 0 });
          console.log(
            uploaded > 0
              ? `${name}@${version} is in ${flags.to}.`
              : `${name}@${version} was in ${flags.to} already, with the same bytes.`,
          );
        }
        if (!flags.release) return console.log(releaseHint(pushed, flags));
        const named = reference?.version !== undefined;
        const options = { models: flags.models, note: releaseNote(flags), named };
        for await (const line of releasePushed(store, pushed, options)) console.log(line);
      });
    },
  );
}

function wrongUsage(model: string | undefined, flags: Flags): string | undefined {
  if (model === undefined && !flags.all)
    return "say what to push: a model, a version as <model>@<version>, or --all";
  if (model !== undefined && flags.all)
    return `give either ${model} or --all, which pushes every model`;
  if (!flags.release && (flags.by ?? flags.why) !== undefined)
    return "--by and --why are about a release: add --release";
  return undefined;
}

/** Runs before anything is written. One version that must not be published stops all. */
async function verifyAll(chosen: readonly LocalPackage[], flags: Flags): Promise<void> {
  for (const local of chosen) {
    if (chosen.length > 1) process.stderr.write(`verifying ${label(local.manifest)}\n`);
    await verifyPackage(local, {
      runtimes: runtimesOf(flags),
      tolerance: flags.tolerance,
      record: false,
    });
  }
}

function releaseHint(pushed: readonly Pushed[], { to, local, all }: Flags): string {
  const where = local ? `${to} --local` : to;
  if (all) return `To let them answer: nearcast push --all --release --to ${where}`;
  const [{ name, version } = { name: "", version: "" }] = pushed;
  return `To let it answer: nearcast release ${name}@${version} --store ${where}`;
}

/** A progress bar on a terminal, elsewhere a line for each file. */
function showProgress(): PushProgress {
  if (!process.stderr.isTTY)
    return {
      start: () => undefined,
      done: (key, bytes, how) => process.stderr.write(`${how} ${key} (${bytes} bytes)\n`),
    };
  const bar = new SingleBar({
    format: "{bar} {percentage}% {value}/{total} bytes {key}",
    hideCursor: true,
  });
  let sent = 0;
  let expected = 0;
  return {
    start(totalBytes) {
      expected = totalBytes;
      bar.start(totalBytes, 0, { key: "" });
    },
    done(key, bytes) {
      sent += bytes;
      bar.update(sent, { key });
      if (sent === expected) bar.stop();
    },
  };
}
