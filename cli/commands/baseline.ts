import { join } from "node:path";
import type { Command } from "commander";
import { MOST_QUANTITIES, type Baseline } from "../../functions/model/baseline.ts";
import { readRelease } from "../../functions/model/release.ts";
import { projectTasks } from "../project.ts";
import { BaselineMaker } from "../../functions/observe/drift/make-baseline.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { readRows } from "../evaluate/data.ts";
import { inBatches } from "../evaluate/evaluate.ts";
import { modelsOption, runtimeOption } from "../options.ts";
import {
  label,
  MANIFEST_FILE,
  openPackage,
  parseReference,
  type LocalPackage,
} from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import { readText } from "../read-text.ts";
import { replaceFile } from "../replace-file.ts";

interface Flags {
  data: string;
  models: string;
  runtime: RuntimeName;
}

/** `nearcast baseline <model[@version]> --data <file>`. */
export function baselineCommand(program: Command): void {
  program
    .command("baseline <model>")
    .description(
      "write into the manifest how inputs and answers are distributed on the training data, for `nearcast drift`; before the push, since a pushed version never changes",
    )
    .requiredOption("--data <file>", '.jsonl of {"input": …}, or .csv with the features')
    .addOption(runtimeOption(["native", "wasm"], "native"))
    .addOption(modelsOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      await checkUnreleased(local);
      const { baseline, left } = await makeBaseline(local, flags);
      const path = join(local.folder, MANIFEST_FILE);
      const manifest = JSON.parse(await readText(path)) as object;
      await replaceFile(path, `${JSON.stringify({ ...manifest, baseline }, undefined, 2)}\n`);
      console.log(report(local, baseline, left));
    });
}

async function makeBaseline(
  local: LocalPackage,
  { data, runtime }: Flags,
): Promise<{ baseline: Baseline; left: number }> {
  const rows = await readRows(data, local.manifest, { labels: "optional" });
  const predictor = await openPredictor(local, runtime);
  const all = await predictor.quantities();
  if (all.length === 0)
    throw new Error(
      `${label(local.manifest)}: the task ${local.manifest.task} has nothing that could be compared with training.`,
    );
  const maker = new BaselineMaker(chosen(all));
  const task = (await projectTasks()).of(local.manifest);
  const quality = await task.quality?.(local.manifest, { k: 1 });
  await inBatches(rows, async (inputs) => maker.add(await predictor.see(inputs)), quality?.rows);
  const left = Math.max(0, all.length - MOST_QUANTITIES);
  return { baseline: maker.finish(rows.length), left };
}

/** Predictions count for more than features: they stay where there are too many. */
function chosen<Q extends { of: string }>(all: readonly Q[]): readonly Q[] {
  const predictions = all.filter((one) => one.of === "prediction").slice(0, MOST_QUANTITIES / 2);
  const inputs = all.filter((one) => one.of === "input");
  return [...inputs.slice(0, MOST_QUANTITIES - predictions.length), ...predictions];
}

/** A folder of models can itself be a store. */
async function checkUnreleased({ models, manifest }: LocalPackage): Promise<void> {
  const { name, version } = manifest;
  const known = await readRelease(createFolderStore(models), name);
  if (!known) return;
  const { stable, candidates, history } = known.release;
  if ([stable, ...[...candidates, ...history].map((one) => one.version)].includes(version))
    throw new Error(
      `${label(manifest)} is released in ${models}, and a released version never changes. Add the model as a new version, and give that one the baseline.`,
    );
}

function report({ manifest }: LocalPackage, { rows, quantities }: Baseline, left: number): string {
  const named = quantities.map(({ name, of, counts }) => `  ${name}  ${counts.length} bins, ${of}`);
  return [
    `${label(manifest)} has the baseline of ${rows} rows.`,
    ...named,
    ...(left > 0 ? [`  left out: ${left}, since a baseline has ${MOST_QUANTITIES} at most`] : []),
  ].join("\n");
}
