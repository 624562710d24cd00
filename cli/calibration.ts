import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { numbersOf, type Datatype, type Tensors } from "../functions/tensor.ts";
import type { Row } from "./evaluate/data.ts";
import { inBatches } from "./evaluate/evaluate.ts";
import { writeNpy, type NpyType } from "./examples/npy.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import { openPredictor } from "./predictor.ts";

/** From fewer, a range is a matter of chance. */
const FEWEST_ROWS = 20;
/** More make no range better, and all of them are run. */
const MOST_ROWS = 500;

const NPY_TYPES: Record<Exclude<Datatype, "BYTES">, NpyType> = {
  BOOL: "|b1",
  INT8: "|i1",
  INT16: "<i2",
  INT32: "<i4",
  INT64: "<i8",
  UINT8: "|u1",
  UINT16: "<u2",
  UINT32: "<u4",
  UINT64: "<u8",
  FP16: "<f2",
  FP32: "<f4",
  FP64: "<f8",
};

/**
 * Writes the tensors that the task makes of the rows, as the quantiser reads them: a folder for each run. Gives the number
 * of rows. Throws an Error that names the line of a row that no range can be measured on.
 */
export async function writeCalibration(
  local: LocalPackage,
  rows: readonly Row[],
  folder: string,
): Promise<number> {
  if (rows.length < FEWEST_ROWS)
    throw new Error(
      `The data has ${rows.length} rows, and ranges need at least ${FEWEST_ROWS}. Give inputs like those that the model will get.`,
    );
  if (local.manifest.inputs.some(({ datatype }) => datatype === "BYTES"))
    throw new Error(
      `${label(local.manifest)} takes texts in its graph, and ranges can be measured on numbers only. Leave --calibrate out.`,
    );
  const used = spread(rows, MOST_ROWS);
  const different = new Set<string>();
  const predictor = await openPredictor(local, "native");
  let row = 0;
  // One row each: padding would count as an input.
  await inBatches(
    used,
    async (inputs) => {
      const { runs } = await predictor.see(inputs);
      different.add(runs.map(({ feeds }) => digestOf(feeds)).join());
      for (const [part, { feeds }] of runs.entries()) {
        checkFinite(feeds, used[row]?.line);
        await writeRun(feeds, join(folder, `${String(row).padStart(6, "0")}-${part}`));
      }
      row++;
    },
    1,
  );
  if (different.size < FEWEST_ROWS)
    throw new Error(
      `The data has ${used.length} rows, but only ${different.size} different ones, and ranges need at least ${FEWEST_ROWS}. Give inputs like those that the model will get.`,
    );
  return used.length;
}

/** At most so many of all, evenly: data may be in an order. */
function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}

function digestOf(feeds: Tensors): string {
  const hash = createHash("sha256");
  for (const [name, { shape, data }] of Object.entries(feeds)) {
    const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>;
    hash
      .update(`${name} ${shape.join(",")} `)
      .update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

async function writeRun(feeds: Tensors, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names: Record<string, string> = {};
  for (const [index, [name, { datatype, shape, data }]] of Object.entries(feeds).entries()) {
    const file = `${index}.npy`;
    names[name] = file;
    const type = NPY_TYPES[datatype as keyof typeof NPY_TYPES];
    await writeFile(
      join(folder, file),
      writeNpy({ type, shape, data: data as ArrayLike<number | bigint> }),
    );
  }
  await writeFile(join(folder, "names.json"), JSON.stringify(names));
}

function checkFinite(feeds: Tensors, line: number | undefined): void {
  for (const [name, { data }] of Object.entries(feeds))
    if (numbersOf(data)?.some((value: number) => !Number.isFinite(value)))
      throw new Error(
        `Line ${line} of the data: ${name} has a number that is missing or infinite, and no range can be measured on it. Leave that row out.`,
      );
}
