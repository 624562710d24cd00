import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGraph } from "../../functions/platform/onnx/graph.ts";
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
