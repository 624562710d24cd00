import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Question } from "../../playground/api.ts";
import { asCurl, asPython, asTypeScript } from "../../playground/code.ts";
import { spaced } from "../../playground/json.ts";

const run = promisify(execFile);
const KEY = "secret";
const FILE = `it's "a" $(seven) 👍.png`;
const BYTES = Buffer.from([0, 1, 255, 10, 13]);

const ODD = [
  `it's "quoted", \\ and $HOME $(touch x) \`touch x\` !! %s`,
  "two\nlines\tand\r\0",
  "👍 é \u2028 \u202e \ud83d",
  "true, null and @file",
];
const inputs = { texts: ODD, words: [true, false, null], "a'b": 1e21, small: -1.5e-7, empty: {} };
const json: Question = {
  model: "odd",
  version: "1.0-b",
  inputs: `{"__proto__": {"x": 1}, "big": 12, "url": "a\\/b", ${spaced(inputs).slice(1)}`,
  parameters: `{"top_k": 3, "name": "it's"}`,
};
const image: Question = {
  model: "odd",
  version: undefined,
  inputs: { blob: new Blob([BYTES], { type: "image/png" }), name: FILE },
  parameters: `{"top_k": 3, "name": "a&b"}`,
};

let server: Server;
let folder: string;
let url: string;
let asked: { path: string; type: string; authorization: string; body: Buffer };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-code-"));
  await writeFile(join(folder, FILE), BYTES);
  server = createServer(async (request, response) => {
    const { "content-type": type = "", authorization = "" } = request.headers;
    const body = Buffer.concat(await request.toArray());
    asked = { path: request.url ?? "", type, authorization, body };
    response.setHeader("Content-Type", "application/json");
    response.end('{"model": "odd", "version": "1", "outputs": "fine"}');
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/it's/`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});

const LANGUAGES = {
  curl: (question: Question) => start("sh", ["-c", asCurl(question, place())]),
  Python: (question: Question) => start("python3", ["-c", asPython(question, place())]),
  TypeScript: async (question: Question) => {
    const made = await build({
      stdin: { contents: asTypeScript(question, place()), loader: "ts", resolveDir: folder },
      alias: { "@nearcast/client": join(import.meta.dirname, "../../client/src/index.ts") },
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
    });
    const code = made.outputFiles[0]?.text ?? "";
    return start(process.execPath, ["--input-type=module", "-e", code]);
  },
};

test.for(Object.entries(LANGUAGES))("odd inputs are the same in %s", async ([, ask]) => {
  expect(await ask(json)).toContain("fine");
  expect(asked.path).toBe("/it's/v1/models/odd/versions/1.0-b/predict");
  expect(asked.type).toMatch(/^application\/json/);
  expect(asked.authorization).toBe(`Bearer ${KEY}`);
  const body = JSON.parse(asked.body.toString()) as { inputs: object; parameters: object };
  expect(body.parameters).toEqual({ top_k: 3, name: "it's" });
  const wanted = JSON.parse(json.inputs as string) as object;
  expect(Object.entries(body.inputs)).toEqual(Object.entries(wanted));
  expect(Object.keys(body.inputs)).toContain("__proto__");
});

test.for(["curl", "Python"] as const)("an image is its file in %s", async (language) => {
  expect(await LANGUAGES[language](image)).toContain("fine");
  expect(asked.path).toBe("/it's/v1/models/odd/predict?top_k=3&name=a%26b");
  expect(asked.type).toBe("image/png");
  expect(asked.body.equals(BYTES)).toBe(true);
});

test("an image in TypeScript is the file's bytes", async () => {
  expect(await LANGUAGES.TypeScript(image)).toContain("fine");
  expect(asked.body.toString()).toContain(BYTES.toString("base64"));
});

function place() {
  return { url, isKeyed: true };
}

async function start(command: string, args: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", KEY };
  return (await run(command, args, { cwd: folder, env })).stdout;
}
