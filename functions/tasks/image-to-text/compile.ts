import { answerNumber } from "../answer-numbers.ts";
import type { CompiledTask, TaskVersion } from "../define.ts";
import { imageInputs } from "../image/inputs.ts";
import type { imageToTextOptions } from "./options.ts";
import { textReader, type ReadText } from "./reader.ts";

/** An answer besides its text and its number, as JSON, and its number. */
const ANSWER_BYTES = '{"generated_text":"","score":0.12345678901234567},'.length;
/** A unit of UTF-16 has up to three bytes. */
const UNIT_BYTES = 3;

export async function compile(
  version: TaskVersion<typeof imageToTextOptions>,
): Promise<CompiledTask> {
  const reader = textReader(version);
  const inputs = await imageInputs(version, { made: reader.numbers });
  const scored = [answerNumber("score", (answer) => (answer as ReadText).score)];

  return {
    ...inputs,
    quantities: [
      ...inputs.quantities,
      answerNumber("characters", (answer) => Array.from(textOf(answer)).length),
      ...(reader.isScored ? scored : []),
    ],
    outputNames: [reader.output],
    *postprocess(outputs, { rows }) {
      const read = reader.open(outputs, rows);
      const answers: ReadText[] = [];
      for (let row = 0; row < rows; row++) {
        if (row > 0) yield;
        answers.push(read(row));
      }
      return answers;
    },
    madeBytes: (answers) =>
      answers.reduce<number>(
        (sum, answer) => sum + ANSWER_BYTES + textOf(answer).length * UNIT_BYTES,
        0,
      ),
  };
}

function textOf(answer: unknown): string {
  return (answer as ReadText).generated_text;
}
