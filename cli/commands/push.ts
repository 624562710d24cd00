import { mkdir } from "node:fs/promises";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { modelsOption, withLocalOptions } from "../options.ts";
import { label, openPackage, parseReference } from "../package-folder.ts";
import { pushPackage, type PushProgress } from "../push.ts";
import { isFolder, withStore } from "../store.ts";
import { runtimesOf, withVerifyOptions, type VerifyFlags } from "../verify-options.ts";
import { verifyPackage } from "../verify.ts";

interface Flags extends VerifyFlags {
  models: string;
  to: string;
  local?: true;
  persistTo?: string;
}

/** `nearcast push <model[@version]> --to <store>`. */
export function pushCommand(program: Command): void {
  const command = program
    .command("push <model>")
    .description(
      "verify a version, then upload it, its manifest last; nothing answers from it before a release",
    )
    .requiredOption("--to <url>", "folder, s3://bucket/prefix or r2://bucket/prefix")
    .addOption(modelsOption());
  withLocalOptions(withVerifyOptions(command)).action(async (model: string, flags: Flags) => {
    const local = await openPackage(flags.models, parseReference(model));
    const runtimes = runtimesOf(flags);
    await verifyPackage(local, { runtimes, tolerance: flags.tolerance, record: false });
    if (isFolder(flags.to)) await mkdir(flags.to, { recursive: true });
    await withStore(flags.to, flags, async (store) => {
      const { uploaded } = await pushPackage(local, store, showProgress());
      const version = label(local.manifest);
      const release = `nearcast release ${version} --store ${flags.to}${flags.local ? " --local" : ""}`;
      console.log(
        uploaded > 0
          ? `${version} is in ${flags.to}. To let it answer: ${release}`
          : `${version} was in ${flags.to} already, with the same bytes.`,
      );
    });
  });
}

/** A bar on a terminal, a line a file elsewhere. */
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
