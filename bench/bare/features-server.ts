// The floor for features by entity id: node:http, JSON in, a read where the path ends with `read`, one run, JSON out with
// where each feature is from. Nothing is checked, and nothing ends a read that is late.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { countedSource, featureNames, SENT } from "../features-models.ts";
import { serveJson } from "./serve-json.ts";
import { sessionOptions } from "./session-options.ts";

const names = await featureNames();
const sent = names.slice(0, SENT);
const wanted = names.slice(SENT);
const source = await countedSource();
const { signal } = new AbortController();
const session = await InferenceSession.create("models/diabetes/1/model.onnx", sessionOptions);
const [input = ""] = session.inputNames;
const [output = ""] = session.outputNames;

type Row = Record<string, number>;

serveJson(async (text, url) => {
  const { inputs } = JSON.parse(text) as { inputs: Row | Row[] };
  const rows = Array.isArray(inputs) ? inputs : [inputs];
  const data = new Float32Array(rows.length * names.length);
  const features = url.includes("/read/") ? await look(rows, data) : undefined;
  const own = features ? sent : names;
  for (let row = 0; row < rows.length; row++)
    for (let column = 0; column < own.length; column++)
      data[row * names.length + column] = rows[row]?.[own[column] as string] as number;
  const feeds = { [input]: new Tensor("float32", data, [rows.length, names.length]) };
  const values = (await session.run(feeds, [output]))[output]?.data as Float32Array;
  const outputs = Array.from(values, (value) => ({ value }));
  return JSON.stringify({ outputs: Array.isArray(inputs) ? outputs : outputs[0], features });
});

/** Writes what the source has to its columns. */
async function look(rows: readonly Row[], data: Float32Array) {
  const keys = rows.map(({ patient = 0 }) => ({ patient }));
  const found = await source.read(keys, wanted, { signal });
  const now = Date.now();
  for (const [row, { values }] of found.entries())
    for (let place = 0; place < wanted.length; place++)
      data[row * names.length + SENT + place] = values[place] as number;
  const ageSeconds = (now - Number(found[0]?.at ?? now)) / 1000;
  const status = rows.length === 1 ? { status: "found", ageSeconds } : { found: rows.length, oldestSeconds: ageSeconds }; // oxfmt-ignore
  return Object.fromEntries(wanted.map((name) => [name, status]));
}
