import { cp, mkdtemp, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { floats, lay, scaling } from "./make.ts";

const root = join(import.meta.dirname, "../..");
const JSON_TYPE = { "content-type": "application/json" };
const DOUBLE = scaling({ factors: [2, 2, 2] });
const TRIPLE = scaling({ factors: [3, 3, 3] });

async function laid(files: Record<string, string | Uint8Array>): Promise<string> {
  return lay(await mkdtemp(join(tmpdir(), "nearcast-plain-")), files);
}

function serve(folder: string, env: Record<string, string> = {}) {
  const log = vi.fn<(line: object) => void>();
  const platform = createNodePlatform({
    AUTH: "none",
    ACCESS_LOG: "false",
    STORE: folder,
    MODEL_NAME: "flowers",
    ...env,
  });
  const app = createApp(createService({ ...platform, log }));
  const json = async (path: string) => (await app.request(path)).json() as Promise<unknown>;
  return {
    app,
    json,
    names: async () => {
      const { models } = (await json("/v1/models")) as { models: Record<string, string>[] };
      return models.map(({ name, version }) => `${name}@${version}`);
    },
    ready: async () => {
      const answer = await app.request("/ready");
      return { ...((await answer.json()) as { detail?: string }), status: answer.status };
    },
    infer: async (model: string) => {
      const inputs = [{ name: "x", datatype: "FP32", shape: [1, 3], data: [1, 2, 3] }];
      const answer = await app.request(`/v2/models/${model}/infer`, {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify({ inputs }),
      });
      const body = (await answer.json()) as { outputs?: { data: number[] }[] };
      return body.outputs?.[0]?.data ?? { status: answer.status, ...body };
    },
  };
}

test("an ONNX file is served under the name that was given, with the tensors of its graph", async () => {
  const server = serve(await laid({ "any.onnx": DOUBLE, "README.md": "# It" }));
  expect(await server.ready()).toMatchObject({ status: 200, store: "reachable" });
  expect(await server.names()).toEqual(["flowers@1"]);
  expect(await server.infer("flowers")).toEqual([2, 4, 6]);
  expect(await server.json("/v2/models/flowers")).toMatchObject({
    name: "flowers",
    versions: ["1"],
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 3] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 3] }],
  });
});

test("several files are models by their own names, and model.onnx is the one that was named", async () => {
  const files = {
    "model.onnx": DOUBLE,
    "b.onnx": scaling({ factors: [1, 0, 1], weights: "b.data" }),
    "b.data": floats([1, 10, 100]),
  };
  const server = serve(await laid(files));
  expect(await server.names()).toEqual(["b@1", "flowers@1"]);
  expect(await server.infer("b")).toEqual([1, 20, 300]);
  expect(await server.infer("flowers")).toEqual([2, 4, 6]);
});

test("Triton's repository: the newest version answers, as its config says, and weights may lie beside", async () => {
  const folder = await laid({
    "sales/1/model.onnx": DOUBLE,
    "sales/2/model.onnx": TRIPLE,
    "sales/10/model.onnx": scaling({ factors: [10, 10, 10] }),
    "sales/config.pbtxt": `
      # As Triton's own examples have it.
      name: "sales"
      backend: "onnxruntime", max_batch_size: 8
      input [ { name: "x" data_type: TYPE_FP32 dims: [ 3 ] } ]
      output { name: "y", data_type: TYPE_FP32, dims: 3 }
      version_policy: { specific: { versions: [1, 2] } }
      instance_group [ { kind: KIND_CPU, count: 2 } ]`,
    "named/3/net.onnx": TRIPLE,
    "named/config.pbtxt": `platform: "onnxruntime_onnx" default_model_filename: 'net.onnx'`,
    "large/1/model.onnx/model.onnx": scaling({ factors: [0, 0, 0], weights: "w.bin" }),
    "large/1/model.onnx/w.bin": floats([7, 7, 7]),
    "large/notes/todo.txt": "nothing",
    "newest/1/model.onnx": DOUBLE,
    "newest/2/model.onnx": TRIPLE,
  });
  const server = serve(folder);
  expect(await server.names()).toEqual(["large@1", "named@3", "newest@2", "sales@2"]);
  expect(await server.json("/v2/models/sales")).toMatchObject({ versions: ["1", "2"] });
  expect(await server.json("/v2/models/newest")).toMatchObject({ versions: ["2"] });
  expect(await server.infer("sales")).toEqual([3, 6, 9]);
  expect(await server.infer("sales/versions/1")).toEqual([2, 4, 6]);
  expect(await server.infer("named")).toEqual([3, 6, 9]);
  expect(await server.infer("large")).toEqual([7, 14, 21]);
});

test("models beside others are all served, and what a volume keeps for itself is none", async () => {
  const { models, ...files } = {
    models: ["flowers@1", "other@1", "sales@2"],
    "model.onnx": DOUBLE,
    "other/any.onnx": DOUBLE,
    "sales/1/model.onnx": DOUBLE,
    "sales/2/model.onnx": TRIPLE,
    "lost+found/1/model.onnx": DOUBLE,
  };
  const server = serve(await laid(files));
  expect(await server.ready()).toMatchObject({ status: 200 });
  expect(await server.names()).toEqual(models);
});

test("a folder of versions is one model, also behind the links of a volume", async () => {
  const folder = await laid({ "..data/1/model.onnx": TRIPLE });
  await symlink("..data/1", join(folder, "1"));
  const server = serve(folder);
  expect(await server.names()).toEqual(["flowers@1"]);
  expect(await server.infer("flowers")).toEqual([3, 6, 9]);
});

test.each(["", "iris", "iris/1"])(
  "a package is served as it is, laid as models/%s",
  async (part) => {
    const folder = await laid({});
    await cp(
      join(root, "models/iris", part.replace("iris", ".")),
      part === "" ? join(folder, "iris") : folder,
      {
        recursive: true,
      },
    );
    const server = serve(folder);
    expect(await server.names()).toEqual(["iris@1"]);
    const answer = await server.app.request("/v1/models/iris/predict", {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
    });
    expect(await answer.json()).toMatchObject({ model: "iris", outputs: { label: "setosa" } });
  },
);

test("a first dimension that is no batch is none, and a ZipMap is cut off", async () => {
  const folder = await laid({
    "sound.onnx": scaling({ factors: [1, 1, 1], rows: "frames" }),
    "table.onnx": await readFile(join(root, "test/fixtures/tables/logistic-zipmap.onnx")),
  });
  const server = serve(folder);
  expect(await server.json("/v1/models/sound")).toMatchObject({ batchDimension: null });
  const table = (await server.json("/v1/models/table")) as { description: string };
  expect(table.description).toContain("Its ZipMap was cut off");
});

const CUT = DOUBLE.subarray(0, 40);
const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
const WITHOUT = scaling({ factors: [1, 1, 1], weights: "w.data" });
const SALES = { "sales/1/model.onnx": DOUBLE };

test.each<[what: string, files: Record<string, string | Uint8Array>, said: string]>([
  ["an empty folder", {}, "has no model: it may have ONNX files"],
  ["a file that is no model", { "model.onnx": "hello" }, "model.onnx is a text file and no model"],
  ["a pointer of Git LFS", { "model.onnx": POINTER }, "model.onnx is a git-lfs pointer"],
  ["a file that is cut", { "model.onnx": CUT }, "model.onnx is not a whole ONNX file"],
  ["weights that are missing", { "model.onnx": WITHOUT }, "w.data, which does not lie beside it"],
  [
    "one good and one bad model",
    { "a/1/model.onnx": DOUBLE, "b/1/model.onnx": "hello" },
    "b/1/model.onnx is a text file",
  ],
  [
    "a version without its file",
    { "a/1/other.onnx": DOUBLE },
    "a/1 has no model.onnx, but other.onnx",
  ],
  ["another backend", { ...SALES, "sales/config.pbtxt": 'backend: "python"' }, "a model of python"],
  ["another name", { ...SALES, "sales/config.pbtxt": 'name: "x"' }, "and the model is sales"],
  [
    "a tensor that is reshaped",
    { ...SALES, "sales/config.pbtxt": "input { name: 'x' reshape { shape: [] } }" },
    "it reshapes a tensor",
  ],
  ["an ensemble", { ...SALES, "sales/config.pbtxt": "ensemble_scheduling {}" }, "an ensemble"],
  [
    "a config that is cut",
    { ...SALES, "sales/config.pbtxt": "input [ {" },
    "config.pbtxt: it ends early",
  ],
  ["a config with a mistake", { ...SALES, "sales/config.pbtxt": "name: 'sales'\n}" }, "line 2: }"],
  [
    "a version that the config wants",
    { ...SALES, "sales/config.pbtxt": "version_policy { specific { versions: 4 } }" },
    "wants version 4, which has no folder",
  ],
  ["another program's model.json", { "model.json": '{"learner": {}}' }, "no manifest of Nearcast"],
  ["a name that is none", { "a b/1/model.onnx": DOUBLE }, '"a b"'],
])("%s: the server says so, and is not ready", async (_what, files, said) => {
  const server = serve(await laid(files));
  const { status, detail } = await server.ready();
  expect(status).toBe(503);
  expect(detail).toContain(said);
  expect(await server.infer("flowers")).toMatchObject({ status: 503 });
});

test("a model above the session budget, or without the signature that is asked for, is refused", async () => {
  const folder = await laid({ "model.onnx": DOUBLE });
  const small = await serve(folder, { SESSION_BUDGET_MB: "0.00001" }).ready();
  expect(small).toMatchObject({ status: 503 });
  expect(small.detail).toContain("SESSION_BUDGET_MB raises it");
  const key = Buffer.alloc(32, 7).toString("base64");
  const unsigned = await serve(folder, { TRUSTED_KEYS: key }).ready();
  expect(unsigned.detail).toContain("no signed manifest");
});

test("a bucket cannot be such a folder", () => {
  expect(() => createNodePlatform({ STORE: "s3://models", MODEL_NAME: "flowers" })).toThrow(
    "MODEL_NAME: needs a folder as STORE",
  );
});
