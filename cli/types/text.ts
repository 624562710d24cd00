/** Characters that end a line, cannot be seen, or show the text after them in another order. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{3164}]/gu;

/** A value of JSON as a type: strings and numbers that are nothing else. `unknown` for objects and arrays. */
export function literal(value: unknown): string {
  if (typeof value === "object" && value !== null) return "unknown";
  const written = JSON.stringify(value).replace(UNSEEN, escaped);
  if (typeof value !== "string" || !value.includes('"') || value.includes("'")) return written;
  return `'${written.slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** The name of a member. Reserved words may be one as they are. */
export function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** The longest line of a comment, without what is before it. */
const WIDTH = 100;

/** A comment above a member. Each paragraph begins a line. Empty where there is nothing to say. */
export function comment(...paragraphs: (string | undefined)[]): string {
  const lines = paragraphs
    .flatMap((text) => text?.split(/[\r\n]+/) ?? [])
    .map((text) => plain(text))
    .filter(Boolean)
    .flatMap(wrapped);
  if (lines.length === 0) return "";
  if (lines.length === 1) return `/** ${lines[0]} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n`;
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Words that neither end a comment nor are one of its tags. */
function plain(text: string): string {
  return text
    .replaceAll("\t", " ")
    .replace(UNSEEN, "")
    .replaceAll("*/", "*\\/")
    .replace(/(^|[\s{])@/g, "$1\\@")
    .trim();
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index);
    return `\\u${unit.toString(16).padStart(4, "0")}`;
  }).join("");
}
