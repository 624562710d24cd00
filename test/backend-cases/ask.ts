import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Datatype, Tensor } from "../../functions/tensor.ts";
import { fromBinary, toBinary } from "../../functions/wire/binary-tensor.ts";
import { fromJsonData, toJsonData } from "../../functions/wire/json-tensor.ts";
import { parseJson } from "../../functions/wire/json.ts";
import { writeJson } from "../../functions/wire/raw-number.ts";
import { tensorsOf, wrongIn, type Case } from "./case.ts";

export const RUNTIMES = ["native", "wasm"] as const;
export const FORMS = ["json", "binary"] as const;
type App = ReturnType<typeof createApp>;

/** A service over a folder of packages, without a socket. */
export function openApp(store: string, runtime: (typeof RUNTIMES)[number]): App {
  const platform = createNodePlatform({
    STORE: store,
    RUNTIME: runtime,
    MAX_BODY_BYTES: "64000000",
  });
  platform.log = () => undefined;
  return createApp(createService(platform));
}

/** Sends the inputs of a case through v2. Gives what is wrong with the answers; undefined where all are right. */
export async function wrongAnswer(
  app: App,
  model: string,
  one: Case,
  form: (typeof FORMS)[number],
): Promise<string | undefined> {
  if (!one.sets?.length) return "not asked: the case has no inputs";
  for (const { inputs, outputs } of one.sets) {
    const { body, headers } = requestOf(tensorsOf(inputs), form);
    const response = await app.request(`/v2/models/${model}/infer`, {
      method: "POST",
      headers,
      body,
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 200) return `${response.status} ${new TextDecoder().decode(bytes)}`;
    const answered = answerOf(bytes, response.headers.get("inference-header-content-length"));
    for (const [name, right] of Object.entries(tensorsOf(outputs))) {
      const wrong = wrongIn(name, answered[name], right, one);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function requestOf(tensors: Record<string, Tensor>, form: (typeof FORMS)[number]) {
  const entries = Object.entries(tensors);
  if (form === "json") {
    const inputs = entries.map(([name, tensor]) => ({
      ...head(name, tensor),
      data: toJsonData(tensor),
    }));
    return { body: writeJson({ inputs }), headers: { "Content-Type": "application/json" } };
  }
  const chunks = entries.map(([, tensor]) => toBinary(tensor));
  const inputs = entries.map(([name, tensor], at) => ({
    ...head(name, tensor),
    parameters: { binary_data_size: chunks[at]?.byteLength },
  }));
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return {
    body: new Blob([json, ...chunks.map((chunk) => new Uint8Array(chunk))]),
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(json.byteLength),
    },
  };
}

function head(name: string, { datatype, shape }: Tensor) {
  return { name, datatype, shape };
}

interface Answer {
  outputs: {
    name: string;
    datatype: Datatype;
    shape: number[];
    data?: unknown[];
    parameters?: { binary_data_size: number };
  }[];
}

function answerOf(bytes: Uint8Array, jsonLength: string | null): Record<string, Tensor> {
  let offset = jsonLength === null ? bytes.byteLength : Number(jsonLength);
  const { outputs } = parseJson(bytes.subarray(0, offset), { exact: true }) as Answer;
  return Object.fromEntries(
    outputs.map(({ name, datatype, shape, data, parameters }) => {
      const size = parameters?.binary_data_size ?? 0;
      const elements = data
        ? fromJsonData(datatype, data)
        : fromBinary(datatype, bytes.subarray(offset, (offset += size)));
      return [name, { datatype, shape, data: elements }];
    }),
  );
}
