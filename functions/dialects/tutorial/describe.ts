import { answers, json, object, pathsOf, ref } from "../../openapi/operation.ts";
import type { Description } from "../define.ts";

const TAG = "Tutorials";
const string = { type: "string" };
/** What is asked of a row. */
const ROW = {
  type: "object",
  description: "`features`, an array or by their names; or the features by their names alone.",
};
const rows = json({ type: "array", items: ref("TutorialRow") }, [
  { features: [5.1, 3.5, 1.4, 0.2] },
]);

/** The prediction of a row. */
const PREDICTION = {
  type: "object",
  required: ["prediction"],
  properties: {
    prediction: { type: ["string", "number"] },
    confidence: { type: "number" },
    predicted_class: string,
    class_names: { type: "array", items: string },
  },
};
const predictions = { type: "array", items: ref("TutorialPrediction") };
const status = { enum: ["pending", "completed", "failed"] };

export function describe(): Description {
  return {
    paths: pathsOf({
      "post /batch_predict": {
        tag: TAG,
        summary: "Rows of features by the deployment's model of tables",
        body: rows,
        answer: answers(object({ predictions })),
        assigned: true,
      },
    }),
    schemas: { TutorialPrediction: PREDICTION, TutorialRow: ROW },
  };
}

/** The paths that are there where calls may be answered later. */
export function taskPaths() {
  return pathsOf({
    "post /batch-predict": {
      tag: TAG,
      summary: "The same as a task, which is polled",
      body: rows,
      answer: answers(object({ task_id: string, status })),
      status: 202,
    },
    "get /batch-result/{task_id}": {
      tag: TAG,
      summary: "Whether the task is done, and what it gave",
      parameters: [{ name: "task_id", in: "path", required: true, schema: string }],
      answer: answers({
        type: "object",
        required: ["task_id", "status"],
        properties: { task_id: string, status, predictions, error: string },
      }),
    },
  });
}
