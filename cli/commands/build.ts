import { relative } from "node:path";
import type { Command } from "commander";
import { ARCHITECTURES, type Architecture } from "../build/architectures.ts";
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
    .command("node")
    .description("the server as JavaScript: node <output>/server.mjs")
    .option("--entry <file>", "the module that calls serve() (default: src/server.ts)")
    .option("--output <folder>", "is emptied first", "dist/node")
    .action(async ({ entry, output }: NodeFlags) => {
      const { buildNode } = await import("../build/node.ts");
      await buildNode({ entry: await findEntry("server", entry), output });
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

function architectureOf(text: string): Architecture {
  const found = ARCHITECTURES.find((name) => name === text);
  if (!found)
    throw new Error(
      `Lambda has no architecture ${JSON.stringify(text)}; it has ${ARCHITECTURES.join(" and ")}.`,
    );
  return found;
}
