// Makes docs/parity.md from the recorded answers of model authors' libraries, with which the tests compare.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const root = join(import.meta.dirname, "..");

interface Area {
  title: string;
  /** What the test compares. */
  compared: string;
  /** The recorded answers, and the script that recorded them, below test/fixtures. */
  recorded: string;
  script: string;
  /** The test that compares. */
  test: string;
}

/** In the order of the page. */
const AREAS: readonly Area[] = [
  {
    title: "Pictures",
    compared: "Decoded pixels, to the level.",
    recorded: "images/recorded.json",
    script: "images/make.py",
    test: "test/tasks/image-files.test.ts",
  },
  {
    title: "Image processors",
    compared: "The tensors that the model is given.",
    recorded: "image-processors/recorded.json",
    script: "image-processors/make.py",
    test: "test/tasks/image-processors.test.ts",
  },
  {
    title: "Hugging Face exports",
    compared: "Token ids, vectors and scores.",
    recorded: "hugging-face/recorded.json",
    script: "hugging-face/make.py",
    test: "test/hugging-face/exports.test.ts",
  },
  {
    title: "Text tasks",
    compared:
      "The answers to 200 inputs each, on native, WASM and in workerd: texts and places are the same, numbers to 1e-4.",
    recorded: "hugging-face/tasks/recorded.json",
    script: "hugging-face/make_tasks.py",
    test: "test/tasks/text-tasks.slow.test.ts",
  },
  {
    title: "Sound",
    compared:
      "The scores of 200 recordings each, of several rates, formats and lengths, on native and in workerd, to 1e-4.",
    recorded: "hugging-face/tasks/audio-cases.json",
    script: "hugging-face/make_audio.py",
    test: "test/audio/classification.slow.test.ts",
  },
  {
    title: "Speech",
    compared:
      "The probability of each window to 1e-4, and the segments to a sample, on native, WASM and in workerd, and of every ninth recording on Lambda. Pieces of a stream equal the whole.",
    recorded: "voice/cases.json",
    script: "voice/make.py",
    test: "test/audio/voice.slow.test.ts",
  },
  {
    title: "Pictures and texts",
    compared:
      "The scores of 200 pictures for labels of their own, the vectors of both towers, and the labels' tokens, on native, WASM and in workerd, to 1e-4.",
    recorded: "zero-shot-images/cases.json",
    script: "zero-shot-images/make.py",
    test: "test/tasks/zero-shot-images.slow.test.ts",
  },
  {
    title: "Texts in pictures",
    compared:
      "The texts that 200 pictures have by the code of PP-OCR (RapidOCR) and docTR, on native, WASM, in workerd and on Lambda, and their scores to 1e-4. Scores of CTC are PP-OCR's, the mean of the characters; docTR's, the lowest of all steps, are other numbers and not compared.",
    recorded: "image-to-text/cases.json",
    script: "image-to-text/make.py",
    test: "test/tasks/image-to-text.slow.test.ts",
  },
  {
    title: "scikit-learn and boosting models",
    compared: "Labels, probabilities, decision values and numbers.",
    recorded: "tables/recorded.json",
    script: "tables/make.py",
    test: "test/tasks/library-models.test.ts",
  },
  {
    title: "200 rows: classes, several numbers a row, outliers and clusters",
    compared:
      "200 rows each, on native, WASM, in workerd and on Lambda, to 1e-4, and the metrics of `eval`.",
    recorded: "tables/several.json",
    script: "tables/several.py",
    test: "test/tasks/several-numbers.test.ts",
  },
  {
    title: "Tables with missing values and mixed columns",
    compared: "The library's predictions, from rows of every form.",
    recorded: "tabular/recorded.json",
    script: "tabular/make.py",
    test: "test/dialects/recorded-tables.ts",
  },
  {
    title: "CSV",
    compared: "The rows that the model is given.",
    recorded: "csv/recorded.json",
    script: "csv/make.py",
    test: "test/dialects/csv-files.ts",
  },
  {
    title: "Multipart forms",
    compared: "The file that the form carries.",
    recorded: "multipart/recorded.json",
    script: "multipart/make.go",
    test: "test/http/forms.test.ts",
  },
  {
    title: "Clients of the protocols",
    compared: "What the client reads from the answer, on Node, workerd and Lambda.",
    recorded: "clients/recorded.json",
    script: "clients/make.py",
    test: "test/dialects/recorded-clients.test.ts",
  },
  {
    title: "gRPC",
    compared:
      "What the client reads from the answer to the message that it sent: over HTTP/2 on Node, and by gRPC-Web and Connect on Node, workerd and Lambda.",
    recorded: "clients/recorded-grpc.json",
    script: "clients/make_grpc.py",
    test: "test/dialects/recorded-grpc.test.ts",
  },
  {
    title: "Files given to `nearcast add`",
    compared: "The values of NumPy files; every file that is no model is called what it is.",
    recorded: "model-files/recorded.json",
    script: "model-files/make.py",
    test: "test/cli/model-files.test.ts",
  },
];

const recordedSchema = z.object({
  versions: z.record(z.string(), z.string()),
  cases: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      /** Words of the refusal. When absent, the answer equals the reference. */
      refused: z.union([z.string(), z.array(z.string())]).optional(),
      /** The flag that `nearcast add` asks for first. */
      asks: z.string().optional(),
    }),
  ),
});

/** The text of docs/parity.md. */
export async function parityPage(): Promise<string> {
  const sections = await Promise.all(AREAS.map(section));
  return `# Compared with the libraries that models come from

Made by \`npm run build:reference\`; do not edit.

Each row is an input, an export or a client that was run through the library or the client named in its section.
The test named there sends the same through Nearcast. It passes only when the answer **equals** the recorded
one, or when the request is **refused** with a message that says the words shown. There is no third result.

Some exports are wrong before Nearcast sees them. They look like right ones, so \`add\` cannot tell them apart. Compare
such a model with \`nearcast eval\` before it is released:

- skl2onnx 1.20: \`KNeighborsClassifier(weights="distance")\`, whose probabilities differ by up to 0.08;
  \`SimpleImputer(add_indicator=True)\`, whose columns are dropped; \`stop_words\` of a \`TfidfVectorizer\` or \`CountVectorizer\`
  that counts pairs of words.
- onnxmltools 1.16: XGBoost's regressor of \`reg:logistic\`, which lacks the sigmoid; LightGBM with \`boosting_type="rf"\`,
  which adds its trees up, with \`multiclassova\`, \`sigmoid\` other than 1, \`linear_tree\`, \`reg_sqrt\` or \`zero_as_missing\`.
- CatBoost 1.2: \`MultiClassOneVsAll\`, and the regressors of \`Poisson\` and \`Tweedie\`, which answer with the logarithm.

${sections.join("\n")}`;
}

async function section({ title, compared, recorded, script, test }: Area): Promise<string> {
  const file = join(root, "test/fixtures", recorded);
  const { versions, cases } = recordedSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const refused = cases.filter((one) => one.refused !== undefined).length;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `## ${title}

${compared} ${cases.length - refused} equal, ${refused} refused.

Recorded by \`test/fixtures/${script}\` with ${libraries.join(", ")}. Compared by \`${test}\`.

| case | what it is | result |
| --- | --- | --- |
${cases.map(row).join("\n")}
`;
}

function row({
  name,
  about,
  refused,
  asks,
}: z.infer<typeof recordedSchema>["cases"][number]): string {
  const result =
    refused === undefined
      ? `equals${asks ? `, once \`${asks}\` is given` : ""}`
      : `refused: ${[refused].flat().join("; ")}`;
  return `| ${[name, about, result].map(cell).join(" | ")} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

if (import.meta.main) await writeFile(join(root, "docs", "parity.md"), await parityPage());
