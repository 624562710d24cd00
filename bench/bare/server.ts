// The floor of an HTTP server: node:http, JSON in, one run, JSON out; no validation, no routes, no ids.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { serveJson } from "./serve-json.ts";
import { sessionOptions } from "./session-options.ts";

interface Body {
  inputs: Record<"sepal_length" | "sepal_width" | "petal_length" | "petal_width", number>;
}

const LABELS = ["setosa", "versicolor", "virginica"];
const session = await InferenceSession.create("models/iris/1/model.onnx", sessionOptions);

async function predict(text: string): Promise<string> {
  const { inputs } = JSON.parse(text) as Body;
  const { sepal_length, sepal_width, petal_length, petal_width } = inputs;
  const data = Float32Array.of(sepal_length, sepal_width, petal_length, petal_width);
  const feeds = { features: new Tensor("float32", data, [1, 4]) };
  const { probabilities } = await session.run(feeds, ["probabilities"]);
  const scores = Array.from(probabilities?.data as Float32Array);
  const best = scores.indexOf(Math.max(...scores));
  return JSON.stringify({ outputs: { label: LABELS[best], score: scores[best], scores } });
}

serveJson(predict);
