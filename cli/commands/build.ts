import { relative } from "node:path";
import type { Command } from "commander";
import { ARCHITECTURES, architectureOf } from "../build/architectures.ts";
import { findEntry } from "../entry.ts";
import { mebibytes } from "../fit.ts";
import { modelsOption, withOption } from "../options.ts";

interface NodeFlags {
  entry?: string;
  output: string;
}

interface LambdaFlags extends NodeFlags {
  models: string;
  base?: string;
  with: string[];
}

/** `nearcast build node` and `nearcast build lambda`. */
export function buildCommand(program: Command): void {
  const build = program.command("build").description("make what runs on Node or on Lambda");
  build
    .command("node [architecture]")
    .description(
      "the server as JavaScript: node <output>/server.mjs. With x64 or arm64, all that it needs on Linux lies there too, for an image",
    )
    .option("--entry <file>", "the module that calls serve() (default: src/server.ts)")
    .option("--output <folder>", "is emptied first", "dist/node")
    .action(async (name: string | undefined, { entry, output }: NodeFlags) => {
      const { buildNode } = await import("../build/node.ts");
      const architecture = name === undefined ? undefined : architectureOf(name);
      await buildNode({ entry: await findEntry("server", entry), output, architecture });
      console.log(`${output}/server.mjs`);
    });
  build
    .command("lambda [architectures...]")
    .description(
      "the package that osls uploads, as <output>/<architecture>.zip, for x64, arm64 or both",
    )
    .option("--entry <file>", "the module that exports handler (default: src/lambda.ts)")
    .option("--output <folder>", "is emptied first", "dist/lambda")
    .addOption(modelsOption())
    .addOption(withOption())
    .option("--base <path>", "where the handler has Nearcast, such as /ml (default: its root)")
    .action(async (names: string[], flags: LambdaFlags) => {
      const { entry, output, models, base, with: packaged } = flags;
      const architectures = names.length > 0 ? names.map(architectureOf) : ARCHITECTURES;
      const { buildLambdaFolders, zipPackage } = await import("../build/lambda.ts");
      const packages = await buildLambdaFolders({
        entry: await findEntry("lambda", entry),
        output,
        models,
        base,
        packaged,
        architectures,
      });
      for (const made of packages) {
        const bytes = await zipPackage(made);
        const code = made.uncompiled ? `  without compiled code: ${made.uncompiled}` : "";
        console.log(`${relative("", made.folder)}.zip  ${mebibytes(bytes)}${code}`);
      }
    });
}
