import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { TASKS } from "../../functions/dialects/hugging-face/forms.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { recorded } from "../audio/recorded.ts";
import { recordingOf } from "../audio/recordings.ts";
import { nearcast } from "../cli/nearcast.ts";
import { post } from "../dialects/platforms.ts";
import { recordedSegments } from "../tasks/image-segmentation.ts";
import { addReader } from "../tasks/image-to-text.ts";
import { recordedRows } from "../tasks/recorded-tasks.ts";
import { addExport } from "./export-folder.ts";
import { expectSchema, fits, SPECIFIED, specificationOf, type Schema } from "./specifications.ts";

interface Case {
  model: string;
  inputs: unknown;
  /** Values of parameters, where not any value of the type makes sense. */
  parameters?: Record<string, unknown>;
  /** Makes what is specified of an answer in another form. */
  specified?: (answer: unknown) => unknown;
  /** The native answer has a form of its own. */
  isOwnNatively?: true;
}

const root = join(import.meta.dirname, "../..");
const fixtures = join(root, "test/fixtures");
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const recording = base64(recordingOf(recorded.recipes[0]!));
const street = (await recordedSegments()).pictures[0];
const sentence = (await recordedRows("ner-bert")).find(
  ({ inputs, outputs }) => typeof inputs === "string" && (outputs as []).length > 0,
)?.inputs;
const digit = (
  JSON.parse(await readFile(join(root, "models/digits/1/model.json"), "utf8")) as {
    examples: [{ input: string }];
  }
).examples[0].input;
const first = (answer: unknown) => (answer as unknown[])[0];
const labels = { candidate_labels: ["a complaint", "praise"], hypothesis_template: "It is {}." };

const CASES: Record<string, Case> = {
  "audio-classification": { model: "wav2vec2-audio", inputs: recording, isOwnNatively: true },
  "feature-extraction": {
    model: "vectors-bert",
    inputs: ["great phone", "bread"],
    parameters: { prompt_name: "query" },
  },
  "fill-mask": {
    model: "mask-bert",
    inputs: "This is the first [MASK].",
    parameters: { targets: ["phone"] },
  },
  "image-classification": { model: "digits", inputs: digit, isOwnNatively: true },
  "image-segmentation": { model: "maskformer", inputs: street },
  "image-to-text": { model: "crnn", inputs: digit, specified: first },
  "object-detection": { model: "yolo8", inputs: digit },
  "question-answering": {
    model: "qa-bert",
    inputs: { question: "Who lives in London?", context: "Ada lives in London." },
    parameters: { max_seq_len: 32 },
    specified: (answer) => [answer].flat(),
  },
  "sentence-similarity": {
    model: "similar-bert",
    inputs: { source_sentence: "great phone", sentences: ["great phone", "bread"] },
  },
  "text-classification": {
    model: "sentiment",
    inputs: "Great phone.",
    specified: first,
    isOwnNatively: true,
  },
  "token-classification": {
    model: "ner-bert",
    inputs: sentence,
    parameters: { ignore_labels: ["O"] },
  },
  "zero-shot-classification": {
    model: "nli-bert",
    inputs: "The battery is empty.",
    parameters: labels,
  },
  "zero-shot-image-classification": { model: "clip", inputs: digit, parameters: labels },
};

const models = await mkdtemp(join(tmpdir(), "nearcast-specified-"));
const app = createApp(createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" })));
const served = { fetch: async (path: string, init?: RequestInit) => app.request(path, init) };

beforeAll(async () => {
  for (const task of [
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "sentence-similarity",
    "token-classification",
    "zero-shot-classification",
  ])
    await addExport(models, CASES[task]!.model, task);
  for (const name of ["sentiment", "digits"])
    await cp(join(root, "models", name), join(models, name), { recursive: true });
  await addReader(models, "crnn");
  for (const [name, path] of [
    ["wav2vec2-audio", "hugging-face/wav2vec2-audio"],
    ["maskformer", "image-segmentation/maskformer"],
    ["yolo8", "object-detection/yolo8.onnx"],
    ["clip", "zero-shot-images/clip"],
  ] as const) {
    const add = ["add", join(fixtures, path), "--name", name, "--models", models];
    expect(await nearcast(add)).toMatchObject({ code: 0 });
    await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
  }
});
afterAll(() => rm(models, { recursive: true }));

test("each task that is specified and answered is asked below", () => {
  expect(SPECIFIED).toContain("text-to-image");
  expect(SPECIFIED.filter((task) => TASKS.includes(task))).toEqual(Object.keys(CASES));
});

test.each(Object.entries(CASES))(
  "%s answers as it is specified, with each parameter",
  async (task, { model, inputs, parameters = {}, specified = (answer) => answer }) => {
    const schema = specificationOf(task, "input");
    const { inputs: _, parameters: inner, ...beside } = schema.properties ?? {};
    const properties = inner ? inner.properties : beside;
    const needed = (inner?.required ?? []).map((name) => [name, parameters[name]] as const);
    const asked = Object.entries(properties ?? {}).flatMap(([name, property]) =>
      valuesOf(property, parameters[name]).map((value) => [name, value] as const),
    );
    const refused = new Set<string>();
    for (const one of [[], ...asked]) {
      const [name = ""] = one;
      const given = Object.fromEntries([...needed, ...(name ? [one] : [])]) as object;
      const body = inner ? { inputs, parameters: given } : { inputs, ...given };
      expect(fits(schema, body), name).toBe(true);
      const { status, body: answer } = await post(served, `/models/${model}`, body);
      if (name && status === 422) {
        expect(answer["error"]).toContain(name);
        refused.add(name);
        continue;
      }
      expect(status, name).toBe(200);
      if (name === "") expect(answer).not.toEqual([]);
      expectSchema(task, specified(answer));
    }
    expect([...refused].toSorted()).toEqual(await refusedBy(task));
  },
);

const native = Object.entries(CASES).filter(([, { isOwnNatively }]) => !isOwnNatively);

test.each(native)("%s answers natively too as it is specified", async (task, asked) => {
  const { model, inputs, parameters } = asked;
  const path = `/v1/models/${model}/predict`;
  const { body } = await post(served, path, { inputs, parameters });
  expect(body["outputs"]).not.toEqual([]);
  expectSchema(task, body["outputs"]);
});

/** All values of a parameter, or some. */
function valuesOf(schema: Schema, given: unknown): unknown[] {
  if (given !== undefined) return [given];
  const { type = "", oneOf, allOf } = schema;
  if (schema.enum) return schema.enum;
  if (oneOf) return oneOf.map((one) => one.const);
  if (allOf) return allOf.flatMap((one) => valuesOf(one, undefined));
  const values = { boolean: [true, false], integer: [2], number: [0.5], object: [{}] }[type];
  if (!values) throw new Error(`No value of the type ${type} is known.`);
  return values;
}

/** The parameters that the clients' page says are refused. */
async function refusedBy(task: string): Promise<string[]> {
  const page = await readFile(join(root, "docs/clients.md"), "utf8");
  const rows = page.split("\n").map((line) => line.split(" | "));
  return rows
    .filter(([tasks, said]) => tasks?.includes(`\`${task}\``) && said?.startsWith("refuses "))
    .flatMap(([, said = ""]) => [...said.matchAll(/`([a-z_]+)(: \w+)?`/g)].map(([, name]) => name!))
    .toSorted();
}
