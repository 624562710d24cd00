// The floor below the floor: node:http that reads a text and answers a constant, without ONNX Runtime: what any
// server on Node can reach.
import { serveJson } from "./serve-json.ts";

const answer = JSON.stringify({
  outputs: { label: "setosa", score: 0.9, scores: [0.9, 0.07, 0.03] },
});

serveJson(() => Promise.resolve(answer));
