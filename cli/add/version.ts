import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NearcastError } from "../../functions/errors.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { writeExamples } from "../examples/files.ts";
import { describeFailure } from "../failure.ts";
import { harmOf } from "../native-apart.ts";
import {
  checkName,
  label,
  localVersions,
  nextVersion,
  openPackage,
  type LocalPackage,
} from "../package-folder.ts";
import { openPredictor } from "../predictor.ts";
import { projectTasks } from "../project.ts";
import { exists, writeVersion } from "../write-version.ts";
import { differenceFrom } from "./check-example.ts";
import { checkFolder } from "./folder-kind.ts";
import {
  draftForDetection,
  isDetector,
  OBJECT_DETECTION,
  type DetectionFlags,
} from "./from-detection.ts";
import { draftForTask, draftFromFile, TABLE_TASKS, type Draft } from "./from-file.ts";
import { draftForText, IMAGE_TO_TEXT, isRecognizer, type ClassFlags } from "./from-recognizer.ts";
import { draftFromHuggingFace } from "./from-hugging-face.ts";
import {
  draftForImage,
  IMAGE_TASKS,
  isImageTask,
  strayImageFlag,
  type ImageFlags,
} from "./from-image.ts";
import { draftForVoice, voiceDraftOf, VOICE_ACTIVITY_DETECTION } from "./from-voice.ts";
import { readGivenExamples, readLabels, type GivenExample } from "./given-files.ts";
import type { PoolingFlag } from "./image-vectors.ts";
import type { ScoresFlag } from "./score-meaning.ts";

export interface AddFlags extends ImageFlags, ClassFlags, Pick<DetectionFlags, "head"> {
  name: string;
  version?: string;
  models: string;
  features?: string[];
  labels?: string[];
  scores?: ScoresFlag;
  missing?: string[];
  task?: string;
  options?: Record<string, unknown>;
  description?: string;
  license?: string;
  file?: string;
  labelsFrom?: string;
  example?: string;
  pooling?: PoolingFlag;
}

/** What was added, and what its owner should know about it. */
export interface Added {
  local: LocalPackage;
  notes: readonly string[];
  /** What was changed in the graph for all runtimes. */
  changes: readonly string[];
}

interface Beside {
  /** Inputs to record with their answers, besides those of `--example`. */
  examples?: readonly GivenExample[] | undefined;
  /** Looks at the version before it is in its place. What it throws, leaves nothing. */
  check?: ((local: LocalPackage) => Promise<void>) | undefined;
}

/** Makes a version of a file or an export folder. Throws an Error that says what is missing; then nothing is written. */
export async function addVersion(
  path: string,
  given: AddFlags,
  { examples: own, check }: Beside = {},
): Promise<Added> {
  const flags = await withLabels(given);
  const examples = flags.example === undefined ? own : await readGivenExamples(flags.example);
  const identity = await newIdentity(flags);
  const draft = await readDraft(path, flags);
  const notes = [...(draft.notes ?? [])];
  const { changes } = draft.graph;
  const local = await writeVersion(
    flags.models,
    {
      ...identity,
      description: flags.description ?? `Added from ${basename(path)}.`,
      ...(flags.license !== undefined && { license: flags.license }),
      ...draft.manifest,
      examples: [],
      metrics: [],
    },
    {
      artifact: {
        file: `model.${draft.graph.format}`,
        ...(draft.graph.bytes ? { content: draft.graph.bytes } : { path: draft.graph.path }),
      },
      externalData: draft.graph.externalData.map((file) => ({
        path: join(dirname(draft.graph.path), file),
        file,
      })),
      assets: draft.assets,
    },
    async (made) => {
      await check?.(made);
      return examples ? record(made, examples) : tryOut(made, notes);
    },
  );
  return { local, notes, changes };
}

/** The name and the version, if it can be made. */
export async function newIdentity({
  models,
  ...given
}: Pick<AddFlags, "name" | "version" | "models">) {
  checkName("model", given.name);
  if (given.version !== undefined) checkName("version", given.version);
  const identity = {
    name: given.name,
    version: given.version ?? (await nextVersion(models, given.name)),
  };
  if ((await localVersions(models, given.name)).includes(identity.version))
    throw exists(identity, models);
  return identity;
}

async function withLabels(flags: AddFlags): Promise<AddFlags> {
  if (flags.labelsFrom === undefined) return flags;
  if (flags.labels) throw new Error("--labels and --labels-from say the same: use one of them.");
  // A line of a file with characters may be a space.
  if (flags.task === IMAGE_TO_TEXT) return flags;
  return { ...flags, labels: await readLabels(flags.labelsFrom) };
}

async function readDraft(path: string, flags: AddFlags): Promise<Draft> {
  const { features, labels, task, options } = flags;
  const tableTask = TABLE_TASKS.find((one) => one === task);
  const isTable = features && !options && (task === undefined || tableTask);
  if (flags.missing && !isTable)
    throw new Error(
      "--missing goes with --features, without --options or another task: it names some of them.",
    );
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Error(`There is nothing at ${path}.${helpWith(path)}`);
  if (options && !task) throw new Error("--options need --task, which says whose fields they are.");
  checkNames("--features", features);
  checkNames("--labels", labels);
  const stray = strayImageFlag(flags);
  if (stray) throw new Error(`${stray} needs --image, which says that the file takes pictures.`);
  if (found.isDirectory()) {
    const isOfFile = [flags.scores, flags.image, flags.head, flags.blank, flags.end];
    if (features || options || isOfFile.some((flag) => flag !== undefined))
      throw new Error(
        "--features, --scores, --options, --image, --head, --blank and --end go with a file; a folder says itself what it is.",
      );
    await checkFolder(path, flags.file);
    return draftFromHuggingFace(path, flags);
  }
  const finds =
    !options &&
    (task === undefined ? !features && (await isDetector(path)) : task === OBJECT_DETECTION);
  if (flags.file !== undefined)
    throw new Error(`--file picks a file of a folder, and ${path} is a file already.`);
  if (flags.head && !finds) throw new Error(`--head goes with --task ${OBJECT_DETECTION}.`);
  if (finds) {
    if (features || flags.pooling)
      throw new Error(`--features and --pooling do not go with ${OBJECT_DETECTION}.`);
    return draftForDetection(path, flags);
  }
  const reads =
    !options &&
    (task === undefined ? !features && (await isRecognizer(path)) : task === IMAGE_TO_TEXT);
  if (!reads && (flags.blank !== undefined || flags.end !== undefined))
    throw new Error(`--blank and --end go with --task ${IMAGE_TO_TEXT}.`);
  if (reads) {
    if (features || flags.pooling || flags.scores)
      throw new Error(`--features, --pooling and --scores do not go with ${IMAGE_TO_TEXT}.`);
    return draftForText(path, flags);
  }
  if (flags.image) {
    if (features || options || (task && !isImageTask(task)))
      throw new Error(
        `--image is for ${[...IMAGE_TASKS, OBJECT_DETECTION, IMAGE_TO_TEXT].join(" and ")}, and goes without --features, --options and another --task.`,
      );
    return draftForImage(path, { ...flags, image: flags.image });
  }
  if (flags.pooling)
    throw new Error(
      `--pooling goes with an export folder. For a file it is in --options: '{"text": {"pooling": "${flags.pooling}", …}}'`,
    );
  if (isTable) return draftFromFile(path, { ...flags, task: tableTask });
  if (task && flags.scores)
    throw new Error(
      `--scores goes without --task. Write it as the manifest has it: --options '{"scores": {"output": "…", "activation": "softmax"}}'`,
    );
  if (task === VOICE_ACTIVITY_DETECTION && !options) return draftForVoice(path);
  if (task) {
    const { hasOwnBatches } = (await projectTasks()).of({ task });
    const batches = hasOwnBatches && { batchDimension: null };
    return draftForTask(path, task, { ...batches, ...options, ...columns(flags) });
  }
  const draft = await draftFromFile(path, { ...flags, task: undefined });
  return (draft.manifest.task === "tensor" && voiceDraftOf(draft.graph)) || draft;
}

/** What to type for a model that is not on this machine yet: an address, or a name of the Hugging Face Hub. */
function helpWith(path: string): string {
  if (/^https?:\/\//.test(path)) return ` Download it first: curl -LO ${path}`;
  if (/^(?:hf:\/\/)?[\w.-]+\/[\w.-]+$/.test(path) && !/\.(?:onnx|ort)$/.test(path))
    return ` If it is a name of the Hugging Face Hub, export it first, and add the folder: optimum-cli export onnx --model ${path.replace("hf://", "")} export`;
  return "";
}

/** The fields of the manifest that `--features` and `--labels` make for a named task. */
function columns({ features, labels }: AddFlags) {
  return {
    ...(features && { features: features.map((name) => ({ name, type: "number" as const })) }),
    ...(labels && { labels }),
  };
}

function checkNames(flag: string, names: readonly string[] = []): void {
  const given = `It was given ${names.join(",")}.`;
  if (names.includes("")) throw new Error(`${flag} has an empty name. ${given}`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new Error(`${flag} has the name ${twice} twice. ${given}`);
}

/** Runs made-up inputs once: they become the examples. */
async function tryOut(local: LocalPackage, notes: string[]): Promise<Manifest> {
  const { manifest } = local;
  const task = (await projectTasks()).of(manifest);
  const inputs = (await task.examples?.(manifest)) ?? [];
  if (inputs.length === 0) return manifest;
  const predictor = await openPredictor(local, "native", { apart: true });
  try {
    for (const input of inputs) await predictor.predict(input);
  } catch (cause) {
    const harm = harmOf(cause);
    if (harm !== undefined)
      throw new Error(
        `${label(manifest)}: a run with made-up inputs ${harm}. A request could do the same to a server. If your inputs do not, give some as --example.`,
        { cause },
      );
    // A tensor model may refuse made-up values (an index out of range): its owner knows better ones.
    if (task.input === "tensors") {
      notes.push(`The model does not take made-up inputs: ${describeFailure(cause)}`);
      return manifest;
    }
    throw new Error(`${label(manifest)} does not run: ${describeFailure(rootOf(cause))}`, {
      cause,
    });
  }
  await writeExamples(
    local.folder,
    inputs.map((input) => ({ input })),
  );
  return (await openPackage(local.models, manifest)).manifest;
}

/** Runs inputs whose answers the user has seen. Throws an Error where the model does not give them. */
async function record(local: LocalPackage, examples: readonly GivenExample[]): Promise<Manifest> {
  const { manifest } = local;
  const predictor = await openPredictor(local, "native", { apart: true });
  const recorded = [];
  for (const [index, { input, output: seen }] of examples.entries()) {
    const where = `Example ${index + 1}`;
    const output = await predictor.predict(input).catch((cause: unknown) => {
      throw new Error(`${where}: ${describeFailure(rootOf(cause))}`, { cause });
    });
    const difference = await differenceFrom(seen, output);
    if (difference !== undefined)
      throw new Error(
        `${where}: the model answers otherwise than you saw: ${difference}. Its whole answer is ${JSON.stringify(output)}. Nothing was added.`,
      );
    recorded.push({ input, output });
  }
  await writeExamples(local.folder, recorded);
  return (await openPackage(local.models, manifest)).manifest;
}

/** Passes on what a task finds wrong with the manifest. The user has not seen the manifest yet. */
function rootOf(error: unknown): unknown {
  const isManifest =
    error instanceof NearcastError && error.message.startsWith("The model.json of");
  return isManifest ? (error.cause ?? error) : error;
}
