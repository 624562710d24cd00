import { execFile } from "node:child_process";
import { cp, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lambdaDirectory } from "../harness/build.ts";

const root = join(import.meta.dirname, "../..");
// As Lambda's own bootstrap starts it.
const FLAGS = ["--expose-gc", "--max-http-header-size", "81920", "--max-semi-space-size=6"];
/** V8's version and flags are in the first bytes of compiled code. */
const HEADER_BYTES = 16;

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nearcast-package-"));
  await cp(lambdaDirectory, directory, { recursive: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function load(): Promise<{ rejected: boolean | null; handler: string }> {
  const program = `
    const { handler, script } = await import(process.argv[1]);
    const rejected = script.cachedDataRejected ?? null;
    console.log(JSON.stringify({ rejected, handler: typeof handler }));
    process.exit();`;
  const entry = join(directory, "index.mjs");
  const args = [...FLAGS, "--input-type=module", "--eval", program, entry];
  const options = { env: { STORE: "s3://models", AWS_REGION: "us-east-1" } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof load>>;
}

// Only Linux can run the package that it makes, and so compile its code.
test.runIf(process.platform === "linux")("The package starts with its compiled code", async () => {
  expect(await load()).toEqual({ rejected: false, handler: "function" });
});

test.runIf(process.platform === "linux")(
  "Code that another V8 compiled is left, and the package starts without it",
  async () => {
    const file = await open(join(directory, "bundle.cjs.cache"), "r+");
    await file.write(new Uint8Array(HEADER_BYTES));
    await file.close();
    expect(await load()).toEqual({ rejected: true, handler: "function" });
  },
);

test("A package without compiled code starts", async () => {
  await rm(join(directory, "bundle.cjs.cache"), { force: true });
  expect(await load()).toEqual({ rejected: null, handler: "function" });
});

test("A prediction does not load Node's fetch, a tenth of a cold start", async () => {
  const event = JSON.parse(
    await readFile(join(root, "test/fixtures/lambda-events/function-url.json"), "utf8"),
  ) as object;
  const asked = {
    ...event,
    rawPath: "/v1/models/iris/predict",
    body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
    isBase64Encoded: false,
  };
  const program = `
    const { handler } = await import(process.argv[1]);
    const { statusCode } = await handler(JSON.parse(process.argv[2]), {});
    const undici = process.moduleLoadList.filter((name) => name.includes("undici"));
    console.log(JSON.stringify({ statusCode, undici }));
    process.exit();`;
  const entry = join(directory, "index.mjs");
  const args = ["--input-type=module", "--eval", program, entry, JSON.stringify(asked)];
  const options = { env: { STORE: join(root, "models"), AUTH: "none", ACCESS_LOG: "false" } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  expect(JSON.parse(stdout)).toEqual({ statusCode: 200, undici: [] });
});
