// Writes what run.ts found to test/fixtures/backend-cases/recorded.json, and keeps the cases of KEPT for the tests:
//
//     node test/backend-cases/record.ts FOLDER && npm run build:reference
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCases, type Case } from "./case.ts";

const fixtures = join(import.meta.dirname, "../fixtures/backend-cases");

/** Cases of every form that inputs and outputs have, and those that `add` has to change or to open otherwise. */
const KEPT = [
  "node-test_add_uint64",
  "node-test_ai_onnx_ml_label_encoder_string_int",
  "node-test_and_bcast4v4d",
  "node-test_attention_4d_fp16_expanded",
  "node-test_cast_FLOAT_to_FLOAT16",
  "node-test_clip_default_max",
  "node-test_constantofshape_int_shape_zero",
  "node-test_isinf_float16",
  "node-test_loop11",
  "node-test_reduce_max_empty_set",
  "node-test_reduce_sum_empty_axes_input_noop",
  "node-test_rms_normalization_3d_axis1_epsilon_expanded",
  "node-test_size_example",
  "node-test_split_zero_size_splits_opset18",
  "node-test_string_split_basic",
  "node-test_strnormalizer_export_monday_empty_output",
  "node-test_top_k",
  "node-test_unique_sorted_without_axis",
];

interface Result {
  name: string;
  refused?: string;
  wrong?: Record<string, string>;
  ended?: string;
}

/** What is said of refusals, by words of theirs. */
const REFUSALS: readonly [RegExp, string][] = [
  [/the graph has no inputs/, "a graph without inputs, which always answers the same"],
  [/is too old for ONNX Runtime/, "opset 6 or older, for which ONNX Runtime has no code any more"],
  [
    /no code on a CPU|Failed to find kernel/,
    "ONNX Runtime has no code on a CPU for this version of the operator, or for its types",
  ],
  [
    /ai\.onnx\.preview\.training/,
    "operators of ai.onnx.preview.training, which ONNX Runtime lacks",
  ],
  [/layout == 1/, "ONNX Runtime lacks recurrent networks of layout 1"],
  [/did not end/, "a run with made-up inputs does not end"],
];

const [folder = ""] = process.argv.slice(2);
const cases = await readCases(folder);
const results = new Map(
  (await readFile(join(folder, "results.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Result)
    .map((result) => [result.name, result]),
);

/** `passes`: whether ONNX Runtime itself passes. Undefined where it was not asked, as no request can hold the tensors. */
const reasons = new Map<string, { passes?: boolean; cases: string[] }>();
const operators = new Map<string, { cases: number; right: number }>();
for (const one of cases) {
  const why = whyNot(one, results.get(one.name));
  for (const operator of one.operators) {
    const { cases: all, right } = operators.get(operator) ?? { cases: 0, right: 0 };
    operators.set(operator, { cases: all + 1, right: right + Number(why === undefined) });
  }
  if (why === undefined) continue;
  const reason = reasons.get(why) ?? {
    ...(one.untyped.length === 0 && { passes: false }),
    cases: [],
  };
  reason.cases.push(one.name);
  reasons.set(why, { ...reason, ...(one.fails === null && { passes: true }) });
}

const requirements = await readFile(join(fixtures, "requirements.txt"), "utf8");
const recorded = {
  versions: Object.fromEntries(
    requirements
      .trim()
      .split("\n")
      .map((line) => line.split("==")),
  ),
  cases: cases.length,
  reasons: [...reasons].map(([why, reason]) => ({ why, ...reason })),
  operators: Object.fromEntries([...operators].toSorted(([a], [b]) => (a < b ? -1 : 1))),
};
await writeFile(join(fixtures, "recorded.json"), `${JSON.stringify(recorded)}\n`);

const kept = join(fixtures, "kept");
await rm(kept, { recursive: true, force: true });
await mkdir(kept);
const own = KEPT.map((name) => cases.find((one) => one.name === name) ?? missing(name));
await writeFile(join(kept, "cases.jsonl"), own.map((one) => `${JSON.stringify(one)}\n`).join(""));
for (const name of KEPT) await copyFile(join(folder, `${name}.onnx`), join(kept, `${name}.onnx`));

/** Undefined where every answer is right. */
function whyNot(one: Case, result: Result | undefined): string | undefined {
  const { refused, wrong, ended } = result ?? {};
  if (refused === undefined) {
    if (ended !== undefined || !wrong) return `it ended its process (${ended})`;
    const [runtime] = Object.keys(wrong);
    if (runtime === undefined) return undefined;
    const answers = Object.values(wrong);
    if (one.fails && answers.length === 4 && answers.every((answer) => answer.startsWith("422 ")))
      return "ONNX Runtime refuses to run the inputs, and the answer says why";
    // A fault of our own would be on WASM alone, or another status.
    const isOwn = !wrong["native json"] || answers.some((answer) => /^\d{3} /.test(answer));
    return one.fails && !isOwn
      ? "ONNX Runtime answers otherwise than ONNX says"
      : `wrong: ${Object.keys(wrong).join(", ")}`;
  }
  if (one.untyped.length > 0)
    return /sequence|optional/.test(one.untyped.join())
      ? "an input or output is a list of unknown length, or an optional"
      : "an input or output is of bfloat16, float8, float4, int4 or int2";
  return REFUSALS.find(([words]) => words.test(refused))?.[1] ?? refused;
}

function missing(name: string): never {
  throw new Error(`there is no case ${name}`);
}
