import type { Attack } from "../request.ts";
import { digitPng } from "../valid-requests.ts";
import { content, CONTENT_GENES } from "./contents.ts";
import type { Recipe } from "./genes.ts";

/** A place in a JSON body where anything can stand. */
interface Place {
  name: string;
  path: string;
  /** JSON text around `HOLE`. */
  body: string;
  /** One item as the place takes it, in JSON. */
  valid: string;
  headers?: Attack["headers"];
}

const HOLE = "HOLE";
const FLOWER = "[5.1,3.5,1.4,0.2]";
const NAMED = '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}';
const PATIENT =
  '{"age":50,"sex":1,"bmi":25,"bp":90,"s1":180,"s2":110,"s3":45,"s4":4,"s5":5,"s6":90}';
const DIGIT = JSON.stringify(digitPng.toString("base64"));
const TEXT = '"Great phone."';

/** An input that each model takes. */
const INPUTS = {
  iris: NAMED,
  diabetes: PATIENT,
  digits: DIGIT,
  retail: '["85123A"]',
  search: TEXT,
  sentiment: TEXT,
  fp32: '{"x":[[[1]]]}',
  bytes: '{"x":[[["a"]]]}',
  int64: '{"x":[[[1]]]}',
} as const;

/** Models with tokenizers of other kinds, whose texts cost what their steps cost. */
export const TOKENIZED = [
  "all-minilm",
  "multilingual-e5",
  "modernbert-embed",
  "all-distilroberta",
  "deberta-v3-nli",
  "albert-sst2",
] as const;

/** Models of tasks that ask for more than a text: the task, and an input. */
export const ASKED: Record<string, readonly [task: string, valid: string]> = {
  "ms-marco": ["text-ranking", '{"query":"a","texts":["b"]}'],
  "nli-bert": ["zero-shot-classification", '{"text":"a","candidate_labels":["b"]}'],
  "qa-bert": ["question-answering", '{"question":"a","context":"b"}'],
  "mask-bert": ["fill-mask", '"[MASK]"'],
  "ner-bert": ["token-classification", TEXT],
};

const target = (model: string): Attack["headers"] => [["X-Amzn-SageMaker-Target-Model", model]];

const predict = (model: string, body: string, valid: string, where = body): Place => ({
  name: `predict ${model} ${where}`,
  path: `/v1/models/${model}/predict`,
  body,
  valid,
});

const FEATURES = '"name":"features","datatype":"FP32"';
const V2_INPUT = `{${FEATURES},"shape":[1,4],"data":${FLOWER}}`;

const PLACES: Place[] = [
  ...Object.entries(INPUTS).map(([model, valid]) =>
    predict(model, `{"inputs":${HOLE}}`, valid, "inputs"),
  ),
  ...TOKENIZED.map((model) => predict(model, `{"inputs":${HOLE}}`, TEXT, "inputs")),
  ...Object.entries(ASKED).map(([model, [, valid]]) =>
    predict(model, `{"inputs":${HOLE}}`, valid, "inputs"),
  ),
  predict("ms-marco", `{"inputs":{"query":"a","texts":${HOLE}}}`, TEXT, "texts"),
  predict("ms-marco", `{"inputs":{"query":${HOLE},"texts":["b","c","d"]}}`, TEXT, "query"),
  predict(
    "nli-bert",
    `{"inputs":[${Array<string>(1000).fill(TEXT).join()}],"parameters":{"candidate_labels":${HOLE}}}`,
    TEXT,
    "labels",
  ),
  predict("qa-bert", `{"inputs":{"question":"a","context":${HOLE}}}`, TEXT, "context"),
  predict("mask-bert", `{"inputs":"[MASK]","parameters":{"targets":${HOLE}}}`, TEXT, "targets"),
  ...(["iris", "retail", "search"] as const).map((model) =>
    predict(model, `{"inputs":${INPUTS[model]},"parameters":${HOLE}}`, '{"top_k":2}', "parameters"),
  ),
  predict("iris", HOLE, `{"inputs":${NAMED}}`, "body"),
  predict("iris", `{"inputs":${NAMED},"x":${HOLE}}`, "1", "unknown member"),
  predict("iris", `{"inputs":{"sepal_length":${HOLE}}}`, "5.1", "one feature"),
  predict("retail", `{"inputs":[${HOLE}]}`, '"85123A"', "one basket"),
  predict("all-minilm", `{"inputs":[{"text":"a","text_pair":${HOLE}}]}`, TEXT, "text_pair"),
  ...(["iris", "digits", "retail", "search", "sentiment", "fp32"] as const).flatMap(
    (model): Place[] => [
      {
        name: `tensorflow-serving ${model} instances`,
        path: `/v1/models/${model}:predict`,
        body: `{"instances":${HOLE}}`,
        valid: model === "iris" ? FLOWER : model === "digits" ? `{"b64":${DIGIT}}` : INPUTS[model],
      },
      {
        name: `tensorflow-serving ${model} inputs`,
        path: `/v1/models/${model}:predict`,
        body: `{"inputs":${HOLE}}`,
        valid: model === "iris" ? FLOWER : INPUTS[model],
      },
      {
        name: `mlflow ${model} instances`,
        path: "/invocations",
        headers: target(model),
        body: `{"instances":${HOLE}}`,
        valid: model === "iris" ? FLOWER : INPUTS[model],
      },
      {
        name: `mlflow ${model} inputs`,
        path: "/invocations",
        headers: target(model),
        body: `{"inputs":${HOLE}}`,
        valid: model === "iris" ? FLOWER : INPUTS[model],
      },
    ],
  ),
  {
    name: "tensorflow-serving iris columns",
    path: "/v1/models/iris:predict",
    body: `{"inputs":{"sepal_length":${HOLE},"sepal_width":${HOLE},"petal_length":${HOLE},"petal_width":${HOLE}}}`,
    valid: "1",
  },
  {
    name: "tensorflow-serving signature_name",
    path: "/v1/models/iris:predict",
    body: `{"signature_name":${HOLE},"instances":[${FLOWER}]}`,
    valid: '""',
  },
  {
    name: "mlflow records",
    path: "/invocations",
    headers: target("iris"),
    body: `{"dataframe_records":${HOLE}}`,
    valid: NAMED,
  },
  ...(["columns", "index", "data"] as const).map((member): Place => {
    const members = {
      columns: '["sepal_length","sepal_width","petal_length","petal_width"]',
      index: "[0]",
      data: `[${FLOWER}]`,
      [member]: HOLE,
    };
    const text = Object.entries(members).map(([name, value]) => `"${name}":${value}`);
    return {
      name: `mlflow frame ${member}`,
      path: "/invocations",
      headers: target("iris"),
      body: `{"dataframe_split":{${text.join()}}}`,
      valid: member === "data" ? FLOWER : '"sepal_length"',
    };
  }),
  {
    name: "mlflow array",
    path: "/invocations",
    headers: target("iris"),
    body: HOLE,
    valid: FLOWER,
  },
  {
    name: "mlflow params",
    path: "/invocations",
    headers: target("iris"),
    body: `{"instances":[${FLOWER}],"params":${HOLE}}`,
    valid: '{"top_k":1}',
  },
  {
    name: "v2 inputs",
    path: "/v2/models/iris/infer",
    body: `{"inputs":${HOLE}}`,
    valid: V2_INPUT,
  },
  {
    name: "v2 outputs",
    path: "/v2/models/iris/infer",
    body: `{"inputs":[${V2_INPUT}],"outputs":${HOLE}}`,
    valid: '{"name":"probabilities"}',
  },
  {
    name: "v2 shape",
    path: "/v2/models/iris/infer",
    body: `{"inputs":[{${FEATURES},"shape":${HOLE},"data":${FLOWER}}]}`,
    valid: "1",
  },
  {
    name: "v2 data",
    path: "/v2/models/iris/infer",
    body: `{"inputs":[{${FEATURES},"shape":[1,4],"data":${HOLE}}]}`,
    valid: "1",
  },
  {
    name: "v2 parameters",
    path: "/v2/models/iris/infer",
    body: `{"inputs":[${V2_INPUT}],"parameters":${HOLE}}`,
    valid: "1",
  },
  {
    name: "v2 input parameters",
    path: "/v2/models/iris/infer",
    body: `{"inputs":[{${FEATURES},"shape":[1,4],"data":${FLOWER},"parameters":${HOLE}}]}`,
    valid: "1",
  },
  {
    name: "v2 id",
    path: "/v2/models/iris/infer",
    body: `{"id":${HOLE},"inputs":[${V2_INPUT}]}`,
    valid: '"a"',
  },
  {
    name: "openai input",
    path: "/v1/embeddings",
    body: `{"model":"search","input":${HOLE}}`,
    valid: TEXT,
  },
  {
    name: "openai model",
    path: "/v1/embeddings",
    body: `{"model":${HOLE},"input":"a"}`,
    valid: '"search"',
  },
  {
    name: "openai body",
    path: "/v1/embeddings",
    body: HOLE,
    valid: '{"model":"search","input":"a"}',
  },
  {
    name: "tei rerank",
    path: "/rerank",
    body: `{"model":"ms-marco","query":"a","texts":${HOLE},"return_text":true}`,
    valid: TEXT,
  },
  {
    name: "jina rerank",
    path: "/v1/rerank",
    body: `{"model":"ms-marco","query":"a","documents":${HOLE},"return_documents":true}`,
    valid: TEXT,
  },
  {
    name: "cohere rerank",
    path: "/v2/rerank",
    body: `{"model":"ms-marco","query":"a","documents":${HOLE}}`,
    valid: TEXT,
  },
  { name: "tei embed", path: "/embed", body: `{"model":"search","inputs":${HOLE}}`, valid: TEXT },
  {
    name: "tei predict",
    path: "/predict",
    body: `{"model":"albert-sst2","inputs":${HOLE}}`,
    valid: TEXT,
  },
  {
    name: "cohere embed",
    path: "/v2/embed",
    body: `{"model":"search","texts":${HOLE},"embedding_types":["float","binary"]}`,
    valid: TEXT,
  },
  { name: "hugging face text", path: "/models/search", body: `{"inputs":${HOLE}}`, valid: TEXT },
  {
    name: "hugging face table",
    path: "/models/iris",
    body: `{"table":${HOLE}}`,
    valid: `{"sepal_length":[5.1],"sepal_width":[3.5],"petal_length":[1.4],"petal_width":[0.2]}`,
  },
  {
    name: "tei tokenize",
    path: "/tokenize",
    body: `{"model":"modernbert-embed","inputs":${HOLE}}`,
    valid: TEXT,
  },
  {
    name: "tei decode",
    path: "/decode",
    body: `{"model":"all-minilm","ids":${HOLE}}`,
    valid: "[1,2]",
  },
  {
    name: "tutorial features",
    path: "/predict?model=iris",
    body: `{"features":${HOLE}}`,
    valid: "[5.1,3.5,1.4,0.2]",
  },
  {
    name: "tutorial rows",
    path: "/batch_predict?model=iris",
    body: `[${HOLE}]`,
    valid: '{"features":[5.1,3.5,1.4,0.2]}',
  },
  {
    name: "tei similarity",
    path: "/similarity",
    body: `{"model":"search","inputs":{"source_sentence":"a","sentences":${HOLE}}}`,
    valid: `[${TEXT}]`,
  },
  {
    name: "tei model",
    path: "/embed",
    body: `{"model":${HOLE},"inputs":"a"}`,
    valid: '"search"',
  },
];

/** Anything, in each place of each dialect's JSON. */
export const jsonRecipes: Recipe[] = PLACES.map(({ name, path, body, valid, headers = [] }) => ({
  name,
  genes: CONTENT_GENES,
  make(genes) {
    const inner = content(genes, valid);
    if (inner === undefined) return undefined;
    return {
      kind: name,
      method: "POST",
      path,
      headers: [["Content-Type", "application/json"], ...headers],
      body: Buffer.from(body.replaceAll(HOLE, () => inner)),
    };
  },
}));
