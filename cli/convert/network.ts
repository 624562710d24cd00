import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { report as addedReport } from "../add/report.ts";
import { addVersion, newIdentity, type AddFlags } from "../add/version.ts";
import { compareAnswered } from "./compare-answered.ts";
import { compareTensors, exampleOf, type Compared } from "./compare-tensors.ts";
import { TOLERANCE } from "./differences.ts";
import { codeOf, type SourceKind } from "./file-kind.ts";
import { pythonReport, type NetworkJob } from "./python-report.ts";
import { network } from "./report.ts";

export interface NetworkFlags extends AddFlags {
  trust?: true;
  with: string[];
  memory: number;
  seconds: number;
  module?: string;
  signature?: string;
  inputs?: NonNullable<NetworkJob["inputs"]>;
  data?: string;
  target?: string;
}

/** `3x224x224`, or several by commas, or the name of a file. */
export function networkInputs(text: string): NonNullable<NetworkJob["inputs"]> {
  if (/\.(npz|json)$/.test(text)) return { file: resolve(text) };
  if (!/^[1-9]\d*(x[1-9]\d*)*(,[1-9]\d*(x[1-9]\d*)*)*$/.test(text))
    throw new InvalidArgumentError(
      "It is no .npz or .json file, and no shape of one input without its batch, such as 3x224x224.",
    );
  const shapes = text.split(",").map((shape) => shape.split("x").map(Number));
  return { shapes };
}

/**
 * Exports a network in a process of its own, compares it with the original, and adds what was made. Throws an Error that
 * says how the answers differ; then nothing is written.
 */
export async function convertNetwork(
  path: string,
  kind: SourceKind,
  flags: NetworkFlags,
): Promise<void> {
  await checkFlags(path, kind, flags);
  const { name, version } = await newIdentity(flags);
  const folder = await mkdtemp(join(tmpdir(), "nearcast-convert-"));
  try {
    const job = {
      path: resolve(path),
      kind,
      trust: flags.trust ?? false,
      module: flags.module ?? null,
      signature: flags.signature ?? null,
      inputs: flags.inputs ?? madeInputs(kind, flags),
    };
    const made = await pythonReport(job, {
      schema: network,
      packages: flags.with,
      inside: [],
      memoryMb: flags.memory,
      seconds: flags.seconds,
      folder,
    });
    const isFolder = kind === "hugging-face";
    const source = join(made.folder, isFolder ? "export" : "model.onnx");
    const isTensor = !isFolder && flags.task === undefined && !flags.features && !flags.image;
    let compared: Compared = { largest: 0, rows: 0 };
    let answered = 0;
    const added = await addVersion(
      source,
      {
        ...flags,
        name,
        version,
        description:
          flags.description ?? `Converted from ${basename(resolve(path))}: ${made.about}.`,
      },
      {
        examples: isTensor ? exampleOf(made.cases) : undefined,
        check: async (local) => {
          // What was written: `add` may have changed the graph for all runtimes.
          const graph = join(local.folder, local.manifest.artifact.file);
          compared = await compareTensors(graph, made.cases, folder);
          answered = await compareAnswered(local, made.answers);
        },
      },
    );
    const lines = [
      `Read: ${made.about}.`,
      `Compared ${compared.rows} inputs with the original on native and WASM: numbers within ${compared.largest.toPrecision(2)} (allowed: ${TOLERANCE} of their size or spread).`,
      ...(answered > 0
        ? [
            `Its answers to ${answered} inputs are those of transformers' pipeline, on native and WASM.`,
          ]
        : []),
      ...(made.fixed === undefined
        ? []
        : [`It takes one size of batch only. With a free one: ${made.fixed}`]),
      ...(made.still?.length
        ? [
            `For all of these inputs it answers nearly the same (${made.still.join(", ")}), so the comparison shows little. Give typical inputs with --inputs.`,
          ]
        : []),
      ...added.notes,
      addedReport(added.local, added.changes),
    ];
    for (const line of lines) console.log(line);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkFlags(path: string, kind: SourceKind, flags: NetworkFlags): Promise<void> {
  const { module, trust, data, target } = flags;
  if (!(await stat(path).catch(() => undefined))) throw new Error(`There is nothing at ${path}.`);
  if (module !== undefined && !/^[\w.]+:[\w.]+$/.test(module))
    throw new Error(`--module is package.module:name, and not ${module}.`);
  if (data !== undefined || target !== undefined)
    throw new Error(
      "--data and --target are for tables of scikit-learn. Give a network rows to compare on with --inputs, and measure it with nearcast eval.",
    );
  if (flags.signature !== undefined && kind !== "saved-model")
    throw new Error("--signature names one of a SavedModel, and this is none.");
  if (isOfTensorFlow(kind)) {
    if (flags.image && flags.scale === undefined)
      throw new Error(
        "--image needs --scale for a model of Keras or TensorFlow: 1 if it takes levels from 0 to 255 and scales them itself (Rescaling), or 1/255 if it was trained on levels from 0 to 1. The file does not say which.",
      );
    return;
  }
  if (kind === "hugging-face") {
    if (flags.inputs || flags.features || flags.image)
      throw new Error(
        "--inputs, --features and --image are for a .pt2 file or --module; a folder says itself what it is.",
      );
    const code = trust ? undefined : await codeOf(path);
    if (code !== undefined)
      throw new Error(
        `${path}: ${code}. If you trust who made it, say --trust: loading it runs that code.`,
      );
    return;
  }
  if (!trust)
    throw new Error(
      `Loading ${module === undefined ? `${path}, a program of torch.export,` : module} runs code that is in it. If you trust who made it, say --trust.`,
    );
}

/** What is known of the inputs where none are given. A program of torch.export has some of its own. */
function madeInputs(kind: SourceKind, { module, features, image }: NetworkFlags) {
  if (isOfTensorFlow(kind))
    return image ? { sides: [image.height, image.width] satisfies [number, number] } : null;
  if (module === undefined) return null;
  if (features) return { shapes: [[features.length]] };
  return image ? { shapes: [[3, image.height, image.width]] } : null;
}

/** Its models say what they take. Python looks for code in them before it loads them. */
function isOfTensorFlow(kind: SourceKind): boolean {
  return kind === "keras" || kind === "saved-model";
}
