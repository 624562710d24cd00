import type { Manifest } from "../../model/manifest.ts";

export type Pattern = NonNullable<NonNullable<Manifest["capture"]>["redactPatterns"]>[number];

/** Replaces what a text has of the kinds. Takes a bounded time for each character. */
export function redacted(text: string, kinds: readonly Pattern[]): string {
  return ORDER.reduce((left, kind) => (kinds.includes(kind) ? REPLACE[kind](left) : left), text);
}

/**
 * Expressions are of two forms: a bounded number of characters from any place on, or any number from a place where no
 * other attempt can begin.
 */
const SECRETS: readonly (readonly [expression: RegExp, replacement: string])[] = [
  // https://user:password@host
  [/(\b[a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#@"'<>]{1,256}@/gi, "$1[secret]@"],
  // ?token=…, password: …, "api_key": "…"
  [
    /((?<![a-z\d])(?:access[_-]?token|auth[_-]?token|id[_-]?token|refresh[_-]?token|token|api[_-]?key|secret[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret|secret|passwd|password|pwd|signature|sig|session[_-]?id|x-amz-signature)["']?[ ]?[=:][ ]?["']?)[^\s&"'<>,;]+/gi,
    "$1[secret]",
  ],
  // The header Authorization.
  [/(\b(?:bearer|basic) {1,4})(?=[\w.~+/-]{0,64}\d)[\w.~+/-]{12,}=*/gi, "$1[secret]"],
  // JSON Web Tokens.
  [/(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[secret]"],
  // Keys that show whose they are: AWS, GitHub, GitLab, Slack, Google, Hugging Face, Stripe, OpenAI, this service.
  [
    /(?<![\w-])(?:A[KS]IA[A-Z\d]{16}|gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,}|hf_[A-Za-z\d]{30,}|[prs]k_(?:live|test)_[A-Za-z\d]{16,}|sk-[\w-]{20,})/g,
    "[secret]",
  ],
];

const EMAIL = /[^\s@<>()"',;:]{1,64}@[^\s@<>()"',;:]{1,255}\.[a-z]{2,24}/gi;
const NUMBER = /\+?\d(?:[ ()./-]{0,2}\d){6,}/g;
/** Runs of digits, and of letters and digits, that may have an account's number in them. */
const DIGITS = /(?<!\d)\d(?:[ -]?\d){12,}/g;
const ACCOUNT = /\b[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]){11,}/gi;
const IP4 =
  /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)/g;
const IP6 = /(?<![\w:.])(?:[\da-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{1,4})?(?![\w:])/gi;
/** With the country's code, with a 0 or an area in parentheses before, or as in North America. */
const PHONES = [
  /(?<![\d+])(?:\+|00)[1-9](?:[ ()./-]{0,3}\d){6,14}(?!\d)/g,
  // But dates are no numbers of telephones.
  /(?<!\d[./-]?)(?!\d\d?([./-])\d\d?\1\d)\(?0[1-9](?:[ ()./-]{0,3}\d){5,11}(?!\d)/g,
  /\(\d{2,5}\)[ ./-]{0,2}\d(?:[ ./-]?\d){4,9}(?!\d)/g,
  /(?<!\d)[2-9]\d\d[ .-]\d{3}[ .-]\d{4}(?!\d)/g,
];

const REPLACE: Record<Pattern, (text: string) => string> = {
  secret: (text) =>
    SECRETS.reduce(
      (left, [expression, replacement]) => left.replace(expression, replacement),
      text,
    ),
  email: (text) => (text.includes("@") ? text.replace(EMAIL, "[email]") : text),
  iban: (text) => text.replace(ACCOUNT, (run) => withoutNumbers(run, "[iban]", IBAN)),
  card: (text) => text.replace(DIGITS, (run) => withoutNumbers(run, "[card]", CARD)),
  ip: (text) => text.replace(IP6, (found) => (isIp6(found) ? "[ip]" : found)).replace(IP4, "[ip]"),
  phone: (text) => PHONES.reduce((left, expression) => left.replace(expression, "[phone]"), text),
  number: (text) => text.replace(NUMBER, "[number]"),
};

/** From the most particular one on: what is left of one kind may look like another. */
const ORDER: readonly Pattern[] = ["secret", "email", "iban", "card", "ip", "phone", "number"];

/** Numbers that have a check sum. */
interface Checked {
  shortest: number;
  longest: number;
  /** As it is usually written. */
  mostGroups: number;
  /** How the first group of such a number begins. */
  begins: RegExp;
  isRight: (characters: string) => boolean;
}

const CARD: Checked = {
  shortest: 13,
  longest: 19,
  mostGroups: 5,
  begins: /^[1-9]/,
  isRight: isLuhn,
};
const IBAN: Checked = {
  shortest: 15,
  longest: 34,
  mostGroups: 9,
  begins: /^[A-Z]{2}\d\d/i,
  isRight: isIban,
};

/**
 * Replaces the numbers in a run of groups, such as `4111 1111 1111 1111 12`. A number begins and ends with a group, and
 * the longest one counts.
 */
function withoutNumbers(run: string, replacement: string, checked: Checked): string {
  const groups = run.split(/([ -])/);
  let text = "";
  for (let first = 0; first < groups.length; first += 2) {
    const end = endOfNumber(groups, first, checked);
    text += end === undefined ? (groups[first] ?? "") : replacement;
    if (end !== undefined) first = end - 2;
    text += groups[first + 1] ?? "";
  }
  return text;
}

/** The place after the last group of a number that begins with this one. Undefined where none does. */
function endOfNumber(
  groups: readonly string[],
  first: number,
  { shortest, longest, mostGroups, begins, isRight }: Checked,
): number | undefined {
  if (!begins.test(groups[first] ?? "")) return undefined;
  let characters = "";
  let end: number | undefined;
  const after = Math.min(groups.length, first + 2 * mostGroups);
  for (let group = first; group < after; group += 2) {
    characters += groups[group];
    if (characters.length > longest) break;
    if (characters.length >= shortest && isRight(characters)) end = group + 2;
  }
  return end;
}

/** The check sum of payment cards (ISO/IEC 7812). */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 1; place <= digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - place) - 48;
    const doubled = digit * (place % 2 === 0 ? 2 : 1);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && sum > 0;
}

/** The check sum of account numbers (ISO 13616). */
function isIban(account: string): boolean {
  let rest = 0;
  for (let place = 4; place < account.length + 4; place++) {
    const code = account.charCodeAt(place % account.length);
    // Letters are 10 to 35, in both cases.
    const value = code < 58 ? code - 48 : (code & 31) + 9;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** Eight groups, or fewer with `::` once. A time of day is none. */
function isIp6(found: string): boolean {
  const isShort = found.includes("::");
  if (isShort && (found.indexOf("::") !== found.lastIndexOf("::") || found === "::")) return false;
  const groups = found.split(":").filter((group) => group !== "");
  const count = groups.length + (groups.at(-1)?.includes(".") ? 1 : 0);
  return isShort ? count < 8 : count === 8 && !found.endsWith(":");
}
