import { endOfString } from "../wire/json-budget.ts";

const [OPEN, CLOSE] = [new Set(["[", "{"]), new Set(["]", "}"])];
const BEGIN = '"outputs":[';
/** What the depth of a list depends on. */
const MARKS = /["[\]{},]/g;

/** What the answer to a prediction has for each input, as JSON. */
interface Found {
  /** Each as the text that it has there: numbers keep every digit. Undefined where the answer has no list of outputs. */
  outputs: string[] | undefined;
  /** Where looked-up features are from, if the answer has a list of that. */
  features?: string[];
}

export function outputsIn(text: string): Found {
  const begin = text.indexOf(BEGIN);
  if (begin === -1) return { outputs: undefined };
  const outputs: string[] = [];
  let [start, depth] = [begin + BEGIN.length, 0];
  MARKS.lastIndex = start;
  for (let found = MARKS.exec(text); found; found = MARKS.exec(text)) {
    const [mark] = found;
    if (mark === '"') MARKS.lastIndex = endOfString(text, found.index) + 1;
    else if (OPEN.has(mark)) depth += 1;
    else if (CLOSE.has(mark) && depth > 0) depth -= 1;
    else if (depth === 0) {
      const output = text.slice(start, found.index);
      if (output !== "") outputs.push(output);
      start = found.index + 1;
      if (mark === "]") return { outputs, ...featuresIn(text.slice(start)) };
    }
  }
  return { outputs: undefined };
}

/** In what is left behind the outputs. */
function featuresIn(rest: string): Pick<Found, "features"> {
  if (!rest.startsWith(',"features":[')) return {};
  const { features } = JSON.parse(`{${rest.slice(1)}`) as { features: object[] };
  return { features: features.map((one) => JSON.stringify(one)) };
}
