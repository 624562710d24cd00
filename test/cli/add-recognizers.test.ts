import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { messageOf } from "../../functions/platform/onnx/proto.ts";
import { addReader, FLAGS, folder, recordedTexts } from "../tasks/image-to-text.ts";
import { expectRefused } from "./expect-refused.ts";
import { nearcast, removeLines, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

const CHARACTERS = "0123456789abcdef- ";

async function added(path: string, flags: readonly string[]) {
  const models = await temporaryFolder();
  const outcome = await nearcast(["add", path, "--name", "it", "--models", models, ...flags]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const place = join(models, "it/1");
  const manifest = JSON.parse(await readFile(join(place, "model.json"), "utf8")) as object;
  return {
    manifest,
    characters: await readFile(join(place, "characters.txt"), "utf8"),
    ...outcome,
  };
}

const path = (name: string) => join(folder, `${name}.onnx`);
const flagsOf = (name: keyof typeof FLAGS) => ["--task", "image-to-text", ...FLAGS[name]];
const without = (flag: string, name: keyof typeof FLAGS) => {
  const flags = flagsOf(name);
  return flags.toSpliced(flags.indexOf(flag), 2);
};

test("a graph with its steps first gets its pictures first, and free widths a bound", async () => {
  const { manifest, characters, stdout } = await added(path("crnn"), flagsOf("crnn"));
  expect(manifest).toMatchObject({
    task: "image-to-text",
    inputs: [{ shape: [-1, 1, 32, -1], maxShape: [-1, 1, 32, 640] }],
    outputs: [{ name: "text_swapped", shape: [-1, -1, 19] }],
    image: { color: "grayscale", resize: { fill: 0, leastWidth: 16 }, mean: [1], std: [-1] },
    recognition: { output: "text_swapped", blank: 0, activation: "softmax" },
  });
  expect(characters).toBe(`${Array.from(CHARACTERS).join("\n")}\n`);
  expect(stdout).toContain("with the pictures in its first dimension");
});

test("so does one that makes a single step of the narrowest picture", async () => {
  const flags = [...without("--least-width", "crnn"), "--least-width", "1"];
  const { manifest } = await added(path("crnn"), flags);
  expect(manifest).toMatchObject({ outputs: [{ name: "text_swapped" }] });
});

test("probabilities and classes are recognised", async () => {
  const { manifest } = await added(path("filled"), flagsOf("filled"));
  expect(manifest).toMatchObject({
    image: { color: "bgr", arithmetic: "opencv", resize: { fill: 0 } },
    recognition: { output: "text", blank: 18, activation: "none" },
  });
  const classes = await added(path("classes"), flagsOf("classes"));
  expect(classes.manifest).toMatchObject({
    outputs: [{ datatype: "INT64" }],
    recognition: { output: "text", characters: "characters.txt", end: 18 },
  });
});

test("of classes alone, it says what they are taken as, and takes no special one among them", async () => {
  const { stdout } = await added(path("classes"), flagsOf("classes"));
  expect(stdout).toContain("is taken to have 18 characters and the end, which is class 18");
  for (const [at, listed] of [
    ["last", [...all, "[EOS]"]],
    ["0", ["</s>", ...all]],
    ["18", [...all, "eos"]],
  ] as const) {
    const flags = [...without("--end", "classes"), "--end", at];
    const file = await written(listed.join("\n"));
    const others = flags.with(flags.indexOf("--labels-from") + 1, file);
    await expectRefused(path("classes"), "leave it out", others);
  }
});

/** A file of text in a folder of its own. */
async function written(text: string): Promise<string> {
  const file = join(await temporaryFolder(), "characters");
  await writeFile(file, text);
  return file;
}

const all = Array.from(CHARACTERS);
const vocabulary = Object.fromEntries([...all, "[s]"].map((one, id) => [one, id]));

test.each([
  ["on one line", CHARACTERS],
  ["on lines of Windows", all.join("\r\n")],
  ["as a JSON array", JSON.stringify(all)],
  ["as a vocabulary with the end", JSON.stringify(vocabulary)],
  ["as a tokenizer", JSON.stringify({ model: { vocab: vocabulary } })],
])("characters come %s", async (_, text) => {
  const flags = withCharacters(await written(text));
  const { characters } = await added(path("ended"), flags);
  expect(characters).toBe(`${all.join("\n")}\n`);
});

test("a file that says its characters itself is an export of PP-OCR", async () => {
  const model = readOnnx(await readFile(path("filled")));
  const value = `${all.slice(0, -1).join("\n")}\n`;
  const entry = create(messageOf("StringStringEntryProto"), { key: "character", value });
  model.metadataProps.push(entry as unknown as (typeof model.metadataProps)[number]);
  const own = join(await temporaryFolder(), "rec.onnx");
  await writeFile(own, writeOnnx(model));
  const { manifest, characters, stdout } = await added(own, []);
  expect(manifest).toMatchObject({
    task: "image-to-text",
    image: {
      width: 160,
      height: 48,
      resize: { fill: 0 },
      color: "bgr",
      arithmetic: "opencv",
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    recognition: { blank: 0 },
  });
  expect(characters).toBe(`${all.join("\n")}\n`);
  expect(stdout).toContain("a space, as PP-OCR has it");
  await expectRefused(own, "with one of --blank 0", ["--end", "last"]);
});

/** The flags of the graph with an end, with characters of another file. */
const withCharacters = (file: string) => [...flagsOf("ended").slice(0, -1), file];

test.each([
  ["ended", without("--labels-from", "ended"), "does not say its characters"],
  ["ended", without("--image", "ended"), "--resize needs --image"],
  ["ended", without("--resize", "ended"), "--fill 0 keeps its ratio"],
  ["ended", without("--end", "ended"), "which of its 19 classes is no character"],
  ["ended", [...flagsOf("ended"), "--blank", "0"], "with one of --blank 0"],
  ["ended", [...without("--end", "ended"), "--end", "19"], "There is no class 19"],
  ["ended", [...flagsOf("ended"), "--scores", "softmax"], "do not go with image-to-text"],
  ["filled", [...flagsOf("filled"), "--least-width", "9"], "is for a graph that takes any width"],
  ["filled", [...flagsOf("filled"), "--pad", "9"], "use one of them"],
  ["crnn", ["--image", "64x32", "--blank", "0"], "--blank and --end go with --task image-to-text"],
] as const)("%s with %j is refused", async (name, flags, reason) => {
  await expectRefused(path(name), reason, [...flags]);
});

test("another number of characters is refused", async () => {
  const flags = withCharacters(await written("abc"));
  await expectRefused(path("ended"), "3 characters were given", flags);
  const gap = withCharacters(await written('{"a": 0, "b": 2}'));
  await expectRefused(path("ended"), "none with the number 1", gap);
  const empty = withCharacters(await written("a\n\nb\n"));
  await expectRefused(path("ended"), 'character 2 is ""', empty);
});

test("eval measures the character error rate that torchmetrics has", async () => {
  const models = await temporaryFolder();
  await addReader(models, "ended");
  const { pictures, texts, cases } = await recordedTexts();
  const data = join(await temporaryFolder(), "data.jsonl");
  const lines = pictures.map((input, row) => JSON.stringify({ input, label: texts[row] }));
  await writeFile(data, lines.join("\n"));
  const flags = ["--data", data, "--models", models, "--json"];
  const outcome = await nearcast(["eval", "ended", ...flags]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const { metrics } = JSON.parse(outcome.stdout) as { metrics: Record<string, number> };
  const rates = cases.find(({ model }) => model === "ended")?.rates ?? {};
  expect(Object.keys(metrics)).toEqual(["character_error_rate", "exact_match"]);
  for (const [name, value] of Object.entries(rates)) expect(metrics[name]).toBeCloseTo(value, 6);
  await writeFile(data, JSON.stringify({ input: pictures[0], label: 7 }));
  const refused = await nearcast(["eval", "ended", ...flags]);
  expect(refused.stderr).toContain("must be the text of the picture");
});

test("an example whose text the trainer saw is checked", async () => {
  const { pictures, cases } = await recordedTexts();
  const [text] = cases.find(({ model }) => model === "ended")?.rows[0] ?? [];
  const example = (output: unknown) => written(JSON.stringify({ input: pictures[0], output }));
  await added(path("ended"), [...flagsOf("ended"), "--example", await example(text)]);
  const wrong = [...flagsOf("ended"), "--example", await example("other")];
  await expectRefused(path("ended"), "the model answers otherwise than you saw", wrong);
});
