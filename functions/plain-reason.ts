/**
 * Takes out of ONNX Runtime's message what tells a user nothing: error codes, places in its source, signatures of
 * functions, and paths of files.
 */
export function plainReason(message: string): string {
  let text = message.replaceAll(/\s+/g, " ").trim();
  for (const prefix of PREFIXES) text = text.replace(prefix, "");
  text = text.replace(RUNNING, (_, operator: string, name: string) =>
    name === "" ? `${operator}: ` : `${operator} (${name}): `,
  );
  for (let place = PLACE.exec(text); place; place = PLACE.exec(text)) {
    const after = text.slice(place.index + place[0].length);
    text = text.slice(0, place.index) + withoutSignature(after).replace(CONDITION, "");
  }
  for (const prefix of PREFIXES) text = text.replace(prefix, "");
  for (const [code, words] of WORDS) text = text.replaceAll(code, words);
  return text.trim() || "it gave no reason.";
}

const PREFIXES = [
  /^Can't create a session\. /,
  /^failed to call Ort\w+\(\)\. /,
  /^ERROR_CODE: \d+, ERROR_MESSAGE: /,
  /^Load model from .*? failed:\s*/,
  /^Exception during (?:loading|initialization): /,
  /\[ONNXRuntimeError\] : \d+ : \w+ : /,
  /^Fatal error: /,
  /^This is an invalid model\. (?:In Node, .*?, Error )?/,
];

const RUNNING =
  /Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /;
/** A file of ONNX Runtime's source, with the line. */
const PLACE = /(?:\S*\/)?[\w.-]+\.(?:cc|cpp|h|hpp|cu):\d+ /;
/** A failed condition in C++. */
const CONDITION = /^.*? was false\. ?/;

/** C++ that is still left, and its meaning. */
const WORDS: readonly (readonly [code: RegExp, words: string])[] = [
  [/(?<=: )sto(?:d|f|ld|i|ll?|ull?)(?=$| )/g, "a text is no number"],
  [/\bshape\.Size\(\)/g, "size"],
  [/:?\b\w+(?:::\w+)+/g, ""],
];

/** Cuts the name of a C++ function, with its parameters if it has them, off the beginning of a message. */
function withoutSignature(text: string): string {
  const start = /^[\w:<>*&,~ ]*?[\w>~]\(/.exec(text);
  if (!start) return text.replace(/^\w+ (?=[A-Z])/, "");
  let end = start[0].length - 1;
  do end = endOfGroup(text, end);
  while (text[end] === "(");
  return text
    .slice(end)
    .replace(/^(?:::<lambda.*?>|::operator\(\)|\s*const\b|\s*\[(?:with )?\w+ = [^\]]*\])*\s*/, "");
}

/** The position after the group of parentheses that begins at `start`. */
function endOfGroup(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    if (text[index] === "(") depth += 1;
    if (text[index] === ")" && --depth === 0) return index + 1;
  }
  return text.length;
}
