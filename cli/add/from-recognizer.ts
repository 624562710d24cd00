import { readFile } from "node:fs/promises";
import { InvalidArgumentError, type Command } from "commander";
import { readGraph, type Graph, type TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { charactersFile } from "../../functions/tasks/image-to-text/characters.ts";
import { numberOf } from "../options.ts";
import { readCharacters } from "./character-files.ts";
import type { Draft } from "./from-file.ts";
import { picturesOf, type ImageFlags } from "./from-image.ts";
import { recognitionEndOf } from "./recognition-end.ts";

export const IMAGE_TO_TEXT = "image-to-text";

const CHARACTERS = "characters.txt";

/** A class by its number, or the last one. */
type ClassFlag = number | "last";

/** What stands for no character. */
export interface ClassFlags {
  blank?: ClassFlag;
  end?: ClassFlag;
}

export interface RecognitionFlags extends ImageFlags, ClassFlags {
  labels?: readonly string[] | undefined;
  labelsFrom?: string | undefined;
}

/** `--blank` and `--end` say which class of a graph that reads text is no character. */
export function withClassOptions(command: Command): Command {
  return command
    .option(
      "--blank <class>",
      "the blank of a graph that reads text by CTC: the number of its class, or last",
      classFlag,
    )
    .option(
      "--end <class>",
      "what ends the text, of a graph that gives a character a step: likewise",
      classFlag,
    );
}

function classFlag(text: string): ClassFlag {
  if (text === "last") return text;
  const value = numberOf(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("It is neither the number of a class, from 0 on, nor last.");
}

/** A metadata entry with PP-OCR's characters, as ONNX files have it. */
const OWN_CHARACTERS = Buffer.from("\n\tcharacter\x12");

/** Whether the file says itself which characters it reads, as RapidOCR's exports of PP-OCR do. */
export async function isRecognizer(path: string): Promise<boolean> {
  return (await readFile(path)).includes(OWN_CHARACTERS);
}

/**
 * A model file that reads the text of a picture. An export of PP-OCR with its characters says itself all that is needed; of
 * others flags say it. Throws an Error for what neither says.
 */
export async function draftForText(path: string, flags: RecognitionFlags): Promise<Draft> {
  const read = await readGraph(path);
  const own = ownCharacters(read);
  const given =
    flags.labelsFrom === undefined ? flags.labels : await readCharacters(flags.labelsFrom);
  const listed = given ?? own;
  if (!listed)
    throw new Error(
      `${path} does not say its characters: name a file with one on each line, in the order of their classes, with --labels-from.`,
    );
  const isOwn = own !== undefined && !given;
  const pictures = own && !flags.image ? ppOcr(read) : flags;
  const { image, input } = picturesFor(read, pictures, path);
  const { width: most } = image;
  const widths = { least: pictures.leastWidth ?? most, most };
  const { graph, output, classes, activation } = await recognitionEndOf(read, input, widths);
  const count = classes ?? listed.length + 1;
  const special = specialOf(isOwn ? { blank: 0, ...flags } : flags, count, path);
  const { characters, notes } =
    classes === undefined ? takenWhole(listed, special) : withoutSpecial(listed, classes, special);
  return {
    graph,
    assets: [{ file: CHARACTERS, content: charactersFile(characters) }],
    notes,
    manifest: {
      task: IMAGE_TO_TEXT,
      inputs: [input],
      outputs: [output],
      image,
      recognition: {
        output: output.name,
        characters: CHARACTERS,
        [special.name]: special.at,
        ...(activation && { activation }),
      },
    },
  };
}

function ownCharacters({ model }: Graph): string[] | undefined {
  const own = model?.metadataProps.find(({ key }) => key === "character");
  return own?.value.replace(/\n$/, "").split("\n");
}

/** What PP-OCR does to pictures. Lines of 2400 pixels have some hundred letters. */
function ppOcr({ inputs: [pictures] }: Graph): RecognitionFlags {
  const [, , height = -1, width = -1] = pictures?.shape ?? [];
  return {
    image: { width: width < 0 ? 2400 : width, height: height < 0 ? 48 : height },
    ...(width < 0 && { leastWidth: 320 }),
    fill: 0,
    resample: "opencv",
    bgr: true,
    mean: [0.5],
    std: [0.5],
  };
}

function picturesFor(graph: Graph, { image, ...flags }: RecognitionFlags, path: string) {
  if (!image)
    throw new Error(
      `${path} does not say how large its pictures are: say it with --image 320x48. Where it takes any width, that is the longest line.`,
    );
  const { width, height } = image;
  if (!flags.resize && flags.fill === undefined && flags.leastWidth === undefined)
    throw new Error(
      `Say how a picture becomes ${width} × ${height}: --fill 0 keeps its ratio and fills the rest at its right with this number, as PP-OCR does; --least-width 1 keeps its ratio and gives each picture a width of its own up to ${width}, where the graph takes any; --resize ${width}x${height} does not keep the ratio.`,
    );
  const { image: settings, input } = picturesOf(graph, { ...flags, image });
  if (flags.leastWidth === undefined) return { image: settings, input };
  const wide = settings.layout === "NCHW" ? 3 : 2;
  const declared = graph.inputs.find(({ name }) => name === input.name)?.shape[wide];
  if (declared !== -1)
    throw new Error(
      `--least-width is for a graph that takes any width, and ${input.name} is [${input.shape.join(", ")}]: use --fill.`,
    );
  const free: TensorInfo = {
    ...input,
    shape: input.shape.with(wide, -1),
    maxShape: input.shape.with(0, -1),
  };
  return { image: settings, input: free };
}

interface Special {
  name: "blank" | "end";
  at: number;
}

function specialOf({ blank, end }: ClassFlags, classes: number, path: string): Special {
  const given = blank ?? end;
  if (given === undefined || (blank !== undefined && end !== undefined))
    throw new Error(
      `${path} does not say which of its ${classes} classes is no character. Say it with one of --blank 0 or --blank last, of a graph that was trained with CTC (CRNN, PP-OCR), and --end 0 or --end last, of one that gives a character a step and ends the text (PARSeq, ViTSTR).`,
    );
  const at = given === "last" ? classes - 1 : given;
  if (at >= classes) throw new Error(`There is no class ${at}: the graph has ${classes}.`);
  return { name: blank === undefined ? "end" : "blank", at };
}

/** What character sets call a class that is no character: `[s]`, `</s>`, `blank`. */
const NO_CHARACTER = /^(\[.+\]|<.+>|blank|end|eos|pad)$/i;

/**
 * The characters of a graph that gives classes alone, whose number nobody knows. Throws an Error where one of them is
 * plainly the class that is none.
 */
function takenWhole(
  listed: readonly string[],
  { name, at }: Special,
): { characters: readonly string[]; notes: string[] } {
  const there = listed[at] ?? listed.at(-1);
  if (there !== undefined && NO_CHARACTER.test(there))
    throw new Error(
      `The graph gives classes alone, and does not say how many there are. ${JSON.stringify(there)} among the characters stands for the ${name}: leave it out, since the class of the ${name} has no character.`,
    );
  return {
    characters: listed,
    notes: [
      `The graph gives classes alone, and does not say how many there are. It is taken to have ${listed.length} characters and the ${name}, which is class ${at}: let an --example show that its texts are right.`,
    ],
  };
}

/** The characters of all classes but this one, which the file may have too. Throws an Error for another number of them. */
function withoutSpecial(
  listed: readonly string[],
  classes: number,
  { name, at }: Special,
): { characters: readonly string[]; notes: string[] } {
  if (listed.length === classes - 1) return { characters: listed, notes: [] };
  if (listed.length === classes)
    return {
      characters: listed.toSpliced(at, 1),
      notes: [
        `There are as many characters as classes, so that ${JSON.stringify(listed[at])}, number ${at}, stands for the ${name}.`,
      ],
    };
  if (listed.length === classes - 2 && name === "blank" && at === 0)
    return {
      characters: [...listed, " "],
      notes: ["The graph has a class more than there are characters: a space, as PP-OCR has it."],
    };
  throw new Error(
    `The graph has ${classes} classes: ${classes - 1} characters and the ${name}. ${listed.length} characters were given. Are these all, in their order?`,
  );
}
