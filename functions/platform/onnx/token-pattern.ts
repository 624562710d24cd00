/** Classes of characters that are Unicode's in Python, and ASCII's in ONNX Runtime (RE2), as RE2 has them. */
const CLASSES: Record<string, string> = {
  w: String.raw`\p{L}\p{N}_`,
  d: String.raw`\p{Nd}`,
  s: String.raw`\s\v\x1c-\x1f\x{85}\p{Z}`,
};

/** Parts of a pattern: a class in brackets, an escape, or a character. */
const PARTS = /\[\^?(?:\\.|[^\]\\])*\]|\\.|[^]/g;

/** A word of at least some characters. Its ends are word boundaries without `\b` too. */
const WORD = /^(?:\\b)?((?:\\w)*)\\w(?:\+|\{(\d+),\})(?:\\b)?$/;

/**
 * A token_pattern of scikit-learn as ONNX Runtime has to get it. Undefined for one that ONNX Runtime reads otherwise
 * than Python whatever is written: it knows no word boundary beyond ASCII, takes the longest of alternatives where
 * Python takes the first, and gives the whole match where scikit-learn takes a group.
 *
 * @example patternOf("(?u)\\b\\w\\w+\\b") // "[\\p{L}\\p{N}_]{2,}"
 */
export function patternOf(python: string): string | undefined {
  // Python does not know \p, so it is written for ONNX Runtime.
  if (python.includes("\\p{")) return python;
  const pattern = withoutFlag(python);
  const word = WORD.exec(pattern);
  if (word) {
    const least = (word[1] ?? "").length / 2 + Number(word[2] ?? 1);
    return `[${CLASSES["w"]}]${least > 1 ? `{${least},}` : "+"}`;
  }
  const parts = (pattern.match(PARTS) ?? []).map((part) =>
    part.length > 1 && part.startsWith("[") ? bracketed(part) : single(part),
  );
  return parts.includes(undefined) ? undefined : parts.join("");
}

/** Without the flag that says Unicode, which is Python's default. ONNX Runtime does not load a graph with it. */
export function withoutFlag(pattern: string): string {
  return pattern.replace(/^\(\?u\)/, "");
}

function bracketed(part: string): string | undefined {
  // The usual way to say "letters": \w without digits and the underscore.
  if (part === String.raw`[^\W\d_]`) return String.raw`[\p{L}\p{Nl}\p{No}]`;
  if (/\\[^wds\p{P}\p{S}nrt]/u.test(part)) return undefined;
  return part.replaceAll(/\\([wds])/g, (_, name: string) => CLASSES[name] ?? "");
}

function single(part: string): string | undefined {
  const name = part.startsWith("\\") ? part.slice(1) : "";
  if (Object.hasOwn(CLASSES, name)) return `[${CLASSES[name]}]`;
  const other = name.toLowerCase();
  if (Object.hasOwn(CLASSES, other)) return `[^${CLASSES[other]}]`;
  if (name === "") return /[(|^$]/.test(part) ? undefined : part;
  return /^[\p{P}\p{S}nrt]$/u.test(name) ? part : undefined;
}
