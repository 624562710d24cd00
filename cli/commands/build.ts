import { relative } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { ARCHITECTURES, type Architecture } from "../build/architectures.ts";
import { findEntry } from "../entry.ts";
import { mebibytes } from "../fit.ts";
import { modelsOption } from "../options.ts";

interface NodeFlags {
  entry?: string;
  output: string;
}

interface LambdaFlags extends NodeFlags {
  models: string;
  architecture: Architecture[];
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
    .command("lambda")
    .description("the package that osls uploads, as <output>/<architecture>.zip")
    .option("--entry <file>", "the module that exports handler (default: src/lambda.ts)")
    .option("--output <folder>", "is emptied first", "dist/lambda")
    .addOption(modelsOption())
    .option("--architecture <names>", "x64, arm64 or both", architecturesOf, [...ARCHITECTURES])
    .action(async ({ entry, output, models, architecture }: LambdaFlags) => {
      const { buildLambdaFolders, zipPackage } = await import("../build/lambda.ts");
      const packages = await buildLambdaFolders({
        entry: await findEntry("lambda", entry),
        output,
        models,
        architectures: architecture,
      });
      for (const made of packages) {
        const bytes = await zipPackage(made);
        const code = made.uncompiled ? `  without compiled code: ${made.uncompiled}` : "";
        console.log(`${relative("", made.folder)}.zip  ${mebibytes(bytes)}${code}`);
      }
    });
}

function architecturesOf(text: string): Architecture[] {
  return text.split(",").map((name) => {
    const found = ARCHITECTURES.find((one) => one === name);
    if (!found)
      throw new InvalidArgumentError("It is x64, arm64, or both with a comma between them.");
    return found;
  });
}
