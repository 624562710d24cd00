// The floor of an HTTP server: node:http, JSON in, one run, JSON out; no validation, no routes, no ids. A path that ends
// with `sentiment` takes a text. Any other takes iris's features: one row, or an array of them.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { serveJson } from "./serve-json.ts";
import { sessionOptions } from "./session-options.ts";

type Row = Record<"sepal_length" | "sepal_width" | "petal_length" | "petal_width", number>;

const IRIS = ["setosa", "versicolor", "virginica"];
const SENTIMENT = ["negative", "positive"];
const iris = await InferenceSession.create("models/iris/1/model.onnx", sessionOptions);
const sentiment = await InferenceSession.create("models/sentiment/1/model.onnx", sessionOptions);

serveJson(async (text, url) => {
  const { inputs } = JSON.parse(text) as { inputs: unknown };
  const outputs = url.endsWith("sentiment")
    ? await classifyText(inputs as string)
    : await classifyRows(inputs as Row | Row[]);
  return JSON.stringify({ outputs });
});

async function classifyText(text: string) {
  const feeds = { text: new Tensor("string", [text], [1]) };
  const { probabilities } = await sentiment.run(feeds, ["probabilities"]);
  return answer(SENTIMENT, probabilities?.data as Float32Array);
}

async function classifyRows(inputs: Row | Row[]) {
  const rows = Array.isArray(inputs) ? inputs : [inputs];
  const data = new Float32Array(rows.length * 4);
  rows.forEach(({ sepal_length, sepal_width, petal_length, petal_width }, row) => {
    data[row * 4] = sepal_length;
    data[row * 4 + 1] = sepal_width;
    data[row * 4 + 2] = petal_length;
    data[row * 4 + 3] = petal_width;
  });
  const feeds = { features: new Tensor("float32", data, [rows.length, 4]) };
  const { probabilities } = await iris.run(feeds, ["probabilities"]);
  const all = probabilities?.data as Float32Array;
  const outputs = rows.map((_, row) => answer(IRIS, all.subarray(row * 3, row * 3 + 3)));
  return Array.isArray(inputs) ? outputs : outputs[0];
}

function answer(labels: string[], probabilities: Float32Array) {
  const scores = Array.from(probabilities);
  const best = scores.indexOf(Math.max(...scores));
  return { label: labels[best], score: scores[best], scores };
}
