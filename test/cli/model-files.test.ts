import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readGraph } from "../../functions/platform/onnx/graph.ts";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { InferenceSession } from "../../functions/runtime/native-ort.ts";
import { jsonElements, readNpy, writeNpy } from "../../cli/examples/npy.ts";
import { nearcast, root, snapshot, temporaryFolder } from "./nearcast.ts";

interface Case {
  name: string;
  about: string;
  /** Words of the refusal. */
  refused?: string;
  also?: string[];
  /** The bytes of a NumPy file, in hexadecimal digits. */
  npy?: string;
  value?: unknown;
}

const folder = join(root, "test/fixtures/model-files");
const { cases } = JSON.parse(await readFile(join(folder, "recorded.json"), "utf8")) as {
  cases: Case[];
};

/** Traces of ONNX Runtime's source, of zod, and of our own folders in a message. */
const INTERNALS = /onnxruntime_src|\.cc:|::|ERROR_CODE|is it whole|"code":|✖|\.new-/;

test.for(cases.filter(({ npy }) => npy === undefined))(
  "$name is called what it is: $about",
  async ({ name, refused = "", also = [] }) => {
    const { message } = await readGraph(join(folder, name)).then(
      () => new Error("It was read."),
      (error: Error) => error,
    );
    for (const words of [name, refused, ...also]) expect(message).toContain(words);
    expect(message).not.toMatch(INTERNALS);
  },
);

describe("a file that ONNX Runtime refuses", () => {
  const create = vi.spyOn(InferenceSession, "create");
  afterEach(() => create.mockClear());

  test("for want of code for its old opset is to be exported with a newer one", async () => {
    const model = readOnnx(await readFile(join(root, "test/fixtures/odd-graphs/oldest.onnx")));
    for (const one of model.opsetImport) one.version = 6n;
    const path = join(await temporaryFolder(), "opset-6.onnx");
    await writeFile(path, writeOnnx(model));
    await expect(readGraph(path)).rejects.toThrow(
      /opset 6 is too old .* operator Gemm\. .* opset 7 or later/,
    );
    expect(create).toHaveBeenCalledTimes(1);
  });

  test("for another reason is not opened again", async () => {
    await expect(readGraph(join(folder, "undefined.onnx"))).rejects.toThrow("a node needs z");
    expect(create).toHaveBeenCalledTimes(1);
  });
});

test("the command prints it on one line, and writes nothing", async () => {
  for (const name of ["lfs.onnx", "no-inputs.onnx", "ir-99.onnx"]) {
    const models = await temporaryFolder();
    const path = join(folder, name);
    const { code, stderr } = await nearcast(["add", path, "--name", "bad", "--models", models]);
    expect(code).toBe(1);
    expect(stderr.startsWith(`nearcast: ${path}`)).toBe(true);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toMatch(INTERNALS);
    expect(await snapshot(models)).toEqual({});
  }
});

test("what is not on this machine yet is said to be fetched first", async () => {
  for (const [path, words] of [
    ["https://models.example/model.onnx", "Download it first: curl -LO https://models.example"],
    ["owner/model", "optimum-cli export onnx --model owner/model export"],
  ] as const) {
    const models = await temporaryFolder();
    const { code, stderr } = await nearcast(["add", path, "--name", "bad", "--models", models]);
    expect(code).toBe(1);
    expect(stderr).toContain(`There is nothing at ${path}. `);
    expect(stderr).toContain(words);
  }
});

test.for(cases.filter(({ npy }) => npy !== undefined))(
  "$about is read as NumPy reads it",
  ({ npy = "", value, refused }) => {
    const bytes = Buffer.from(npy, "hex");
    if (refused !== undefined) return expect(() => readNpy(bytes)).toThrow(refused);
    const array = readNpy(bytes);
    expect(jsonElements(array)).toEqual([value].flat(Infinity));
    expect(Buffer.from(writeNpy(array)).toString("hex")).toBe(npy);
  },
);
