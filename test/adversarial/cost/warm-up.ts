import { postJson, type Attack } from "../request.ts";
import { validBinary, validCsv, validJson } from "../valid-requests.ts";
import { plainPng } from "./pictures.ts";
import { ASKED, TOKENIZED } from "./places.ts";

/** Large enough for the thread that decodes pictures. */
const picture = plainPng({
  width: 1000,
  height: 1000,
  colour: "grey",
  depth: 8,
  interlaced: false,
  filter: 0,
  chunks: 0,
});

/** What a server answers before it is measured: the first of each kind loads a model or starts a thread. */
export const WARM_UP: readonly Attack[] = [
  ...validJson,
  ...validBinary,
  validCsv,
  ...TOKENIZED.map((model) => postJson(`/v1/models/${model}/predict`, { inputs: "warm" })),
  ...Object.entries(ASKED).map(([model, [, valid]]) =>
    postJson(`/v1/models/${model}/predict`, { inputs: JSON.parse(valid) as unknown }),
  ),
  postJson("/v1/models/digits/predict", { inputs: picture?.toString("base64") }),
];
