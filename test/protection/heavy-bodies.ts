import { gzipSync } from "node:zlib";

/** A body of few different bytes, by about how many bytes it shall have, and what is said of the longest. */
export interface HeavyBody {
  name: string;
  path: string;
  headers?: Record<string, string>;
  make: (bytes: number) => Buffer;
  status: number;
  says: RegExp;
}

const json = (text: string) => Buffer.from(text);
/** So many items that they have about as many bytes. */
const items = (item: string | ((index: number) => string), bytes: number): string => {
  const one = typeof item === "string" ? () => item : item;
  const list: string[] = [];
  for (let length = 0; length < bytes; length += (list.at(-1)?.length ?? 0) + 1)
    list.push(one(list.length));
  return list.join(",");
};
const key = (index: number) => index.toString(36);
const csv = { "Content-Type": "text/csv" };
const of = (model: string) => ({ "X-Amzn-SageMaker-Target-Model": model });

const TOO_MANY_OBJECTS = /JSON may have 98304, or one for every 64 characters/;
const TOO_MANY = /JSON may have 524288, or one for every 12 characters/;

function frame(columns: number, bytes: number): Buffer {
  const names = Array.from({ length: columns }, (_, index) => `"c${index}"`);
  const row = `[${Array<string>(columns).fill("null").join(",")}]`;
  return json(`{"dataframe_split":{"columns":[${names.join(",")}],"data":[${items(row, bytes)}]}}`);
}

function v2(input: object, data: string): Buffer {
  const head = JSON.stringify({ name: "x", datatype: "FP32", shape: [1, 1, 1], ...input });
  return json(`{"inputs":[${head.slice(0, -1)},"data":[${data}]}]}`);
}

/** JSON before so many bytes of texts, of one length whatever their number. */
function binaryHead(size: number): string {
  const head = '{"name":"x","datatype":"BYTES","shape":[1,1,1]';
  const padded = String(size).padStart(8);
  return `{"inputs":[${head},"parameters":{"binary_data_size":${padded}}}]}`;
}

function form(part: string, bytes: number): Buffer {
  return Buffer.from(`${part.repeat(Math.floor(bytes / part.length))}--b--\r\n`);
}

const predict = "/v1/models/iris/predict";
const FORM = { "Content-Type": "multipart/form-data; boundary=b" };

export const HEAVY_BODIES: HeavyBody[] = [
  {
    name: "a data frame of 1000 unknown columns",
    path: "/invocations",
    make: (bytes) => frame(1000, Math.min(bytes, 4_400_000)),
    status: 422,
    says: /dataframe_split.columns have c0, which is not a feature of this model/,
  },
  {
    name: "a data frame of a million empty rows",
    path: "/invocations",
    make: (bytes) =>
      json(
        `{"dataframe_split":{"columns":["sepal_length"],"data":[${items("[]", Math.min(bytes, 1e6))}]}}`,
      ),
    status: 422,
    says: /must have at most 1000 inputs/,
  },
  {
    name: "a data frame of as many columns as it has bytes",
    path: "/invocations",
    make: (bytes) =>
      json(
        `{"dataframe_split":{"columns":[${items((index) => `${index % 10}`, bytes)}],"data":[[]]}}`,
      ),
    status: 422,
    says: /row 0 has 0 cells, there are \d+ columns/,
  },
  {
    name: "zeros for records",
    path: "/invocations",
    make: (bytes) => json(`{"dataframe_records":[${items("0", bytes)}]}`),
    status: 422,
    says: /must have at most 1000 inputs/,
  },
  {
    name: "empty records",
    path: "/invocations",
    make: (bytes) => json(`{"dataframe_records":[${items("{}", bytes)}]}`),
    status: 413,
    says: TOO_MANY_OBJECTS,
  },
  {
    name: "a thousand records of unknown members",
    path: "/invocations",
    make: (bytes) => {
      const each = items((index) => `"${key(index)}":0`, bytes / 1000);
      return json(`{"dataframe_records":[${Array<string>(1000).fill(`{${each}}`).join(",")}]}`);
    },
    status: 413,
    says: TOO_MANY,
  },
  {
    name: "columns of a million values",
    path: "/v1/models/iris:predict",
    make: (bytes) => {
      const values = items("null", bytes / 2);
      return json(`{"inputs":{"sepal_length":[${values}],"sepal_width":[${values}]}}`);
    },
    status: 422,
    says: /must have at most 1000 inputs/,
  },
  {
    name: "instances of zeros",
    path: "/v1/models/iris:predict",
    make: (bytes) => json(`{"instances":[${items("0", bytes)}]}`),
    status: 422,
    says: /must have at most 1000 inputs/,
  },
  {
    name: "instances of empty arrays",
    path: "/v1/models/sentiment:predict",
    make: (bytes) => json(`{"instances":[${items("[]", bytes)}]}`),
    status: 413,
    says: TOO_MANY,
  },
  {
    name: "zeros for the inputs of v2",
    path: "/v2/models/fp32/infer",
    make: (bytes) => json(`{"inputs":[${items("0", bytes)}]}`),
    status: 422,
    says: /inputs must have at most 1000 items, has \d+/,
  },
  {
    name: "empty objects for the outputs of v2",
    path: "/v2/models/fp32/infer",
    make: (bytes) =>
      json(
        `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1,1],"data":[1]}],"outputs":[${items("{}", Math.min(bytes, 200_000))}]}`,
      ),
    status: 422,
    says: /outputs must have at most 1000 items, has \d+/,
  },
  {
    name: "a shape of minus ones",
    path: "/v2/models/fp32/infer",
    make: (bytes) =>
      json(`{"inputs":[{"name":"x","datatype":"FP32","shape":[${items("-1", bytes)}],"data":[]}]}`),
    status: 422,
    says: /shape must have at most 64 items, has \d+/,
  },
  {
    name: "short texts for one row",
    path: "/v2/models/bytes/infer",
    make: (bytes) => v2({ datatype: "BYTES" }, items('"ab"', bytes)),
    status: 413,
    says: TOO_MANY,
  },
  {
    name: "one long integer and zeros",
    path: "/v2/models/int64/infer",
    make: (bytes) => v2({ datatype: "INT64" }, `9007199254740993,${items("0", bytes)}`),
    status: 422,
    says: /elements, its shape \[1, 1, 1\] holds 1/,
  },
  {
    name: "empty texts in binary",
    path: "/v2/models/bytes/infer",
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(binaryHead(0).length),
    },
    make: (bytes) => {
      const size = bytes - (bytes % 4);
      return Buffer.concat([Buffer.from(binaryHead(size)), Buffer.alloc(size)]);
    },
    status: 422,
    says: /has more BYTES elements than the 1 that its shape holds/,
  },
  {
    name: "token ids for texts",
    path: "/v1/embeddings",
    make: (bytes) => json(`{"model":"search","input":[${items("0", bytes)}]}`),
    status: 422,
    says: /token ids belong to another tokenizer/,
  },
  {
    name: "empty texts",
    path: "/v1/embeddings",
    make: (bytes) => json(`{"model":"search","input":[${items('""', Math.min(bytes, 1e6))}]}`),
    status: 422,
    says: /input must have at most 1000 inputs/,
  },
  {
    name: "a body of unknown members",
    path: predict,
    make: (bytes) =>
      json(`{${items((index) => `"${key(index)}":0`, Math.min(bytes, 2e5))},"inputs":[]}`),
    status: 422,
    says: /is not a member of the request \(and at least 99 more\)/,
  },
  {
    name: "a body of very many unknown members",
    path: predict,
    make: (bytes) =>
      json(`{${items((index) => `"${key(index)}":0`, Math.min(bytes, 3e6))},"inputs":[]}`),
    status: 413,
    says: /more than 32768 different names of members/,
  },
  {
    name: "rows of unknown features",
    path: predict,
    make: (bytes) => {
      const row = items((index) => `"${key(index)}":0`, Math.min(bytes, 3e6) / 500);
      return json(`{"inputs":[${Array<string>(500).fill(`{${row}}`).join(",")}]}`);
    },
    status: 422,
    says: /is not a feature of this model \(and at least 99 more\)/,
  },
  {
    name: "unknown tensors",
    path: "/v1/models/fp32/predict",
    make: (bytes) => {
      const names = items((index) => `"${key(index)}":0`, Math.min(bytes, 2e5));
      return json(`{"inputs":{${names}}}`);
    },
    status: 422,
    says: /is not an input of this model \(and at least 99 more\)/,
  },
  {
    name: "inputs of zeros",
    path: predict,
    make: (bytes) => json(`{"inputs":[[],${items("0", bytes)}]}`),
    status: 422,
    says: /must have at most 1000 inputs/,
  },
  {
    name: "CSV of empty lines",
    path: "/invocations",
    headers: csv,
    make: (bytes) => Buffer.alloc(bytes, "\n"),
    status: 400,
    says: /empty lines and 0 rows/,
  },
  {
    name: "CSV with a quote after empty lines",
    path: "/invocations",
    headers: csv,
    make: (bytes) => Buffer.concat([Buffer.alloc(bytes, "\n"), Buffer.from('a"')]),
    status: 400,
    says: /has a quote within a cell/,
  },
  {
    name: "CSV of a million columns",
    path: "/invocations",
    headers: csv,
    make: (bytes) => Buffer.alloc(bytes, "a,"),
    status: 400,
    says: /line 1 has more than 10004 cells/,
  },
  {
    name: "CSV of a second line of a million columns",
    path: "/invocations",
    headers: csv,
    make: (bytes) => Buffer.concat([Buffer.from("1,2,3,4\n"), Buffer.alloc(bytes, "1,")]),
    status: 400,
    says: /line 2 has more than 10004 cells/,
  },
  {
    name: "CSV of quoted cells",
    path: "/invocations",
    headers: csv,
    make: (bytes) =>
      Buffer.concat([
        Buffer.from("1,2,3,4\n"),
        Buffer.alloc(bytes - (bytes % 3), '"",'),
        Buffer.from('""'),
      ]),
    status: 400,
    says: /line 2 has more than 10004 cells/,
  },
  {
    name: "CSV of short rows",
    path: "/invocations",
    headers: csv,
    make: (bytes) => Buffer.alloc(bytes, "1,2,3,4\n"),
    status: 422,
    says: /the CSV must have at most 1000 rows/,
  },
  {
    name: "CSV of letters for numbers",
    path: "/invocations",
    headers: { "Content-Type": "text/csv; header=absent", ...of("iris") },
    make: (bytes) => Buffer.alloc(Math.min(bytes, 8000), "a,b,c,d\n"),
    status: 422,
    says: /and at least 99 more/,
  },
  {
    name: "a form of many empty files",
    path: "/v1/models/digits/predict",
    headers: FORM,
    make: (bytes) =>
      form('--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n\r\n', bytes),
    status: 422,
    says: /must have at most 1000 files/,
  },
  {
    name: "a form of boundaries",
    path: "/v1/models/digits/predict",
    headers: FORM,
    make: (bytes) => form("--b\r\n", bytes),
    status: 400,
    says: /not a valid multipart form/,
  },
];

/** The request as it is sent: with `gzip` the body compressed. */
export function requestOf(
  { headers, make }: HeavyBody,
  { bytes, gzip = false }: { bytes: number; gzip?: boolean },
): RequestInit {
  const body = make(bytes);
  return {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...headers,
      ...(gzip && { "Content-Encoding": "gzip" }),
    },
    body: new Uint8Array(gzip ? gzipSync(body) : body),
  };
}
