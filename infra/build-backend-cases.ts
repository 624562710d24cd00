// Makes docs/graphs.md: what `nearcast add` and v2 make of ONNX's own backend cases, as test/backend-cases/record.ts recorded it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

interface Recorded {
  versions: Record<string, string>;
  cases: number;
  /** `passes`: whether ONNX Runtime itself passes. Absent where it was not asked, as no request can hold the tensors. */
  reasons: { why: string; passes?: boolean; cases: string[] }[];
  operators: Record<string, { cases: number; right: number }>;
}

export async function readRecorded(): Promise<Recorded> {
  const file = join(root, "test/fixtures/backend-cases/recorded.json");
  return JSON.parse(await readFile(file, "utf8")) as Recorded;
}

/** The text of docs/graphs.md. */
export function graphsPage({ versions, cases, reasons, operators }: Recorded): string {
  const others = reasons.toSorted((a, b) => b.cases.length - a.cases.length);
  const right = cases - others.reduce((sum, one) => sum + one.cases.length, 0);
  const names = Object.keys(operators);
  const whole = names.filter((name) => operators[name]?.right === operators[name]?.cases);
  const partly = names.filter((name) => !whole.includes(name));
  return `# Which graphs are served

Made by \`npm run build:reference\`; do not edit.

ONNX ships ${cases} cases for those who run its graphs: one or more for each operator, exports of PyTorch, and whole networks. Each has
inputs, the right outputs, and a tolerance. \`test/fixtures/backend-cases/cases.py\` writes them, and
\`test/backend-cases/run.ts\` adds each with \`nearcast add\` and asks it through \`/v2\`, with JSON and with binary tensors, on native
ONNX Runtime and on WASM. **${right} are added, and all four answers are right.** With onnx ${versions["onnx"]}, and onnxruntime ${versions["onnxruntime"]} in Python
to say which of them ONNX Runtime itself passes.

| the others | cases | ONNX Runtime passes | such as |
| --- | --- | --- | --- |
${others.map(({ why, passes, cases: all }) => `| ${why} | ${all.length} | ${passes === undefined ? "not asked: no request can hold these" : passes ? "yes" : "no"} | \`${all[0]}\` |`).join("\n")}

\`add\` refuses all of them in words, except where ONNX Runtime answers otherwise than ONNX says, by
the case's own tolerance: \`add\` cannot know that. It also refuses an input without a number of dimensions, and weights in a
subfolder, which ONNX Runtime would take.

Some graphs are changed on the way in, and \`add\` says so: a ZipMap is cut off, a list of tensors becomes an output for each, the
locale of a StringNormalizer becomes one that all machines have. That is done in the graph itself, and not in the bodies of its If
and Loop or in functions that the model brings: with a Size of a Shape there, ONNX Runtime Web does not load it. \`test/fixtures/odd-graphs/make.py\` makes graphs of the kinds that
people have, from IR 3 and opset 7 to IR 13 and opset 26. \`test/backend-cases/answers.test.ts\` asks these, and some of ONNX's, in every run of the tests.

## By operator

The cases of these are all right: ${whole.join(", ")}.

| operator | cases | right |
| --- | --- | --- |
${partly.map((name) => `| ${name} | ${operators[name]?.cases} | ${operators[name]?.right} |`).join("\n")}
`;
}

if (import.meta.main)
  await writeFile(join(root, "docs/graphs.md"), graphsPage(await readRecorded()));
