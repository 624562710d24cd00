import { InvalidArgumentError, Option, type Command } from "commander";
import { withHeadOption } from "../add/from-detection.ts";
import { withImageOptions } from "../add/from-image.ts";
import { withClassOptions } from "../add/from-recognizer.ts";
import { ADDED_POOLINGS } from "../add/hugging-face-vectors.ts";
import { IMAGE_FLAGS } from "../add/image-vectors.ts";
import { report } from "../add/report.ts";
import { SCORES_FLAGS } from "../add/score-meaning.ts";
import { addVersion, type AddFlags } from "../add/version.ts";
import { commas, modelsOption } from "../options.ts";

/** `nearcast add <path> --name <model>`. */
export function addCommand(program: Command): void {
  const command = program
    .command("add <path>")
    .description(
      "make a package of an .onnx or .ort file, or of a Hugging Face export folder (config.json, tokenizer.json, onnx/model.onnx)",
    )
    .requiredOption("--name <model>", "the model's name")
    .option("--version <version>", "the version's name (default: the next free number)")
    .option("--features <names>", "columns of a tabular model, separated by commas", commas)
    .option("--labels <names>", "classes in the order of the scores, separated by commas", commas)
    .option(
      "--missing <features>",
      "features that may be missing: age,class=-1, with what the model takes for a missing one (default: as the graph shows)",
      commas,
    )
    .option("--file <path>", "which ONNX file of an export folder")
    .option("--description <text>", "what the model does")
    .option("--license <name>", "its licence, such as Apache-2.0")
    .addOption(modelsOption());
  withTaskOptions(command).action(async (path: string, flags: AddFlags) => {
    const { local, notes, changes } = await addVersion(path, flags);
    for (const note of notes) console.log(note);
    console.log(report(local, changes));
  });
}

/** What says of a graph what it is for, where the graph does not. */
export function withTaskOptions(command: Command): Command {
  const described = command
    .option(
      "--labels-from <file>",
      "a file with the classes, or characters: JSON, a config.json, or a line for each",
    )
    .option(
      "--example <file>",
      'inputs with the answers that you saw in training, {"input": …, "output": …}: recorded where the model gives them, refused where not',
    )
    .addOption(
      new Option(
        "--scores <what>",
        "what a classifier's numbers are, where its operators do not show it",
      ).choices(SCORES_FLAGS),
    )
    .option("--task <name>", "any task, such as one of nearcast.config.ts")
    .option("--options <json>", "the fields of the manifest that only this task has", jsonObject)
    .addOption(
      new Option(
        "--pooling <how>",
        "how the vectors of tokens, or of a picture's parts, become one, where the export does not say it",
      ).choices([...new Set([...ADDED_POOLINGS, ...IMAGE_FLAGS])]),
    );
  return withClassOptions(withHeadOption(withImageOptions(described)));
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // This is said below.
  }
  throw new InvalidArgumentError("It is no JSON object, such as '{\"field\": 1}'.");
}
