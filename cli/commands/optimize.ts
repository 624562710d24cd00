import type { Command } from "commander";
import { readExamples } from "../examples/files.ts";
import { mebibytes } from "../fit.ts";
import { fitLines } from "../fit-lines.ts";
import { nextSteps } from "../next-steps.ts";
import { bestVariant, grows, optimizePackage, type Variant } from "../optimize.ts";
import { modelsOption, numberOf } from "../options.ts";
import {
  label,
  nextVersion,
  openPackage,
  parseReference,
  type LocalPackage,
} from "../package-folder.ts";
import { writeVersion } from "../write-version.ts";

interface Flags {
  models: string;
  version?: string;
  tolerance: number;
}

/** `nearcast optimize <model[@version]>`. */
export function optimizeCommand(program: Command): void {
  program
    .command("optimize <model>")
    .description(
      "try a pre-optimised graph, ORT format, and weights in a file of their own; keep as a new version what needs less memory or starts faster on WASM",
    )
    .option("--version <version>", "the new version's name (default: the next free number)")
    .option("--tolerance <number>", "how far outputs may differ", numberOf, 1e-4)
    .addOption(modelsOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      const { manifest } = local;
      if ((await readExamples(local)).length === 0)
        throw new Error(
          `${label(manifest)} has no examples to compare outputs on. Put some into its model.json, then: nearcast verify ${label(manifest)} --record`,
        );
      if (manifest.artifact.file.endsWith(".ort"))
        throw new Error(
          `${label(manifest)} is in ORT format, which ONNX Runtime does not rewrite.`,
        );
      const { file, externalData = [] } = manifest.artifact;
      const version = flags.version ?? (await nextVersion(flags.models, manifest.name));
      await optimizePackage(local, flags.tolerance, async (original, variants, refused) => {
        console.log(table([original, ...variants]));
        for (const { how, reason } of refused) console.log(`  ${how}: not usable, ${reason}`);
        const larger = variants.filter((one) => grows(one, original));
        if (larger.length > 0)
          console.log(
            `  Not kept, since files would grow from ${original.bytes} bytes to ${Math.max(...larger.map(({ bytes }) => bytes))}: ${larger.map(({ how }) => how).join("; ")}. ONNX Runtime stores what it computes from constants, such as floats of 8-bit weights.`,
          );
        const best = bestVariant(original, variants);
        if (!best) {
          console.log(
            `Nothing helps: ${label(manifest)} stays as it is (${[file, ...externalData.map((one) => one.file)].join(", ")}).`,
          );
          return sayWhetherItFits(local, original);
        }
        const { artifact: _artifact, assets: _assets, schema: _schema, ...rest } = manifest;
        const made = await writeVersion(
          flags.models,
          { ...rest, version },
          best.files,
          async (one) => one.manifest,
        );
        console.log(
          `${label(made.manifest)} is in ${made.folder}: ${best.how}, WASM memory ${mebibytes(original.wasmBytes)} → ${mebibytes(best.wasmBytes)}.`,
        );
        await sayWhetherItFits(made, best);
      });
    });
}

async function sayWhetherItFits(local: LocalPackage, measured: Variant): Promise<void> {
  const { fitsWorkers, lines } = fitLines(local, measured);
  for (const line of lines) console.log(`  ${line}`);
  if (fitsWorkers) return;
  for (const step of await nextSteps(local, { optimised: true })) console.log(`  Try: ${step}`);
}

function table(variants: readonly Variant[]): string {
  const rows = [
    ["", "bytes", "session create", "first load", "WASM memory", "largest difference"],
    ...variants.map(({ how, bytes, createMs, coldLoadMs, wasmBytes, difference }) => [
      how,
      String(bytes),
      `${createMs.toFixed(0)} ms`,
      `${coldLoadMs.toFixed(0)} ms`,
      mebibytes(wasmBytes),
      String(difference),
    ]),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
