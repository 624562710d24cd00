import { KEYS, NUMBERS, STRINGS } from "./odd-values.ts";
import type { Random } from "./random.ts";
import type { Attack } from "./request.ts";
import { validJson } from "./valid-requests.ts";

/** Stands for text that `JSON.stringify` would not write. */
const RAW = "\u{10ffff}raw:";
const RAW_MEMBER = new RegExp(`"${RAW}([^"]*)"`, "gu");

const raw = (text: string): string => RAW + text;

function leaf(random: Random): unknown {
  return random.pick<() => unknown>([
    () => raw(random.pick(NUMBERS)),
    () => raw(random.pick(NUMBERS)),
    () => random.pick(STRINGS),
    () => random.pick([null, true, false]),
    () => random.pick([[], {}, [[]], [{}], [null], { b64: "AA==" }]),
    () => random.pick(STRINGS).repeat(random.pick([1, 2, 100, 3000])),
    () => random.bytes(random.below(40)).toString("base64"),
    () =>
      String.fromCharCode(...Array.from({ length: random.below(30) }, () => random.below(65_536))),
  ])();
}

function anything(random: Random, depth = 0): unknown {
  if (depth > 3 || random.chance(0.5)) return leaf(random);
  const items = Array.from({ length: random.below(5) }, () => anything(random, depth + 1));
  if (random.chance(0.5)) return items;
  return Object.fromEntries(items.map((item) => [random.pick(KEYS), item]));
}

/** Deep enough to break what recurses, with something in the middle. */
function deep(random: Random, value: unknown): unknown {
  const levels = random.pick([3, 31, 32, 33, 62, 63, 64, 65, 5000, 100_000]);
  const [open, close] = random.pick<[string, string]>([
    ["[", "]"],
    ['{"inputs":', "}"],
    ["[[", "]]"],
  ]);
  const text = open.repeat(levels) + (JSON.stringify(value) ?? "null") + close.repeat(levels);
  return raw(Buffer.from(text).toString("hex"));
}

/** One change somewhere in a JSON value. */
function mutate(random: Random, value: unknown): unknown {
  const isContainer = typeof value === "object" && value !== null;
  if (isContainer && random.chance(0.75)) return mutateInside(random, value);
  return random.pick<() => unknown>([
    () => leaf(random),
    () => leaf(random),
    () => leaf(random),
    () => anything(random),
    () => [value],
    () => ({ [random.pick(KEYS)]: value }),
    () => deep(random, value),
    () => JSON.stringify(value) ?? "",
    () => Array.from({ length: random.pick([0, 2, 3, 5, 17, 129, 1001]) }, () => value),
  ])();
}

/** A member more, one less, or another in its place. */
function mutateInside(random: Random, value: object): unknown {
  const change = random.mostly("change", ["add", "remove", "rename"]);
  if (Array.isArray(value)) {
    const items: unknown[] = [...(value as unknown[])];
    const at = random.below(items.length + 1);
    if (at === items.length || change === "add") items.splice(at, 0, anything(random));
    else if (change === "remove") items.splice(at, 1);
    else items[at] = mutate(random, items[at]);
    return items;
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length + 1);
  const [name, member] = entries[at] ?? [random.pick(KEYS), anything(random)];
  if (at === entries.length) entries.push([name, member]);
  else if (change === "add") entries.push([random.pick(KEYS), anything(random)]);
  else if (change === "remove") entries.splice(at, 1);
  else if (change === "rename") entries[at] = [random.pick(KEYS), member];
  else entries[at] = [name, mutate(random, member)];
  // An own member even when its name is __proto__.
  return Object.fromEntries(entries);
}

/** What is no longer JSON, or no longer UTF-8. */
function mutateText(random: Random, text: Buffer): Buffer {
  const at = random.below(text.length + 1);
  const [before, after] = [text.subarray(0, at), text.subarray(at)];
  return random.pick<() => Buffer>([
    () => before,
    () => after,
    () => Buffer.concat([before, after.subarray(1 + random.below(4))]),
    () => Buffer.concat([before, random.bytes(1 + random.below(4)), after]),
    () => Buffer.concat([before, text, after]),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text]),
    () => Buffer.concat([text, Buffer.from(random.pick(["\0", "}", " ", "null", ",", "\n{}"]))]),
    () => Buffer.from(text.toString(), "utf16le"),
    () =>
      Buffer.concat([
        before,
        Buffer.from(random.pick(['"', "\\", "{", "[", ",", ":", "\\u", "//"])),
        after,
      ]),
    () => Buffer.alloc(0),
    () => random.bytes(random.below(200)),
  ])();
}

/** More than the service takes. */
const LONGEST = 2_100_000;

/** A valid JSON request of any dialect, with one to four things wrong with its body. */
export function jsonAttack(random: Random): Attack {
  const valid = random.pick(validJson);
  let value = JSON.parse(valid.body?.toString() ?? "null") as unknown;
  const changes = random.pick([0, 1, 1, 1, 2, 4]);
  for (let change = 0; change < changes; change++) value = mutate(random, value);
  const text = (JSON.stringify(value) ?? "null").replaceAll(RAW_MEMBER, (_, given: string) =>
    /^(5b|7b)/.test(given) ? Buffer.from(given, "hex").toString() : given,
  );
  const body = Buffer.from(text).subarray(0, LONGEST);
  const isText = changes === 0 || random.chance(0.1);
  return { ...valid, kind: "json", body: isText ? mutateText(random, body) : body };
}
