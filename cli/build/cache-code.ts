// Runs as a process of its own: `node cache-code <package folder> <models folder> <base path>`. It sends the first
// example of every version to the package. Then it writes bundle.cjs.cache, which holds the code that V8 compiled for
// them. As on Lambda, the models come from S3 (here a local one) through the SDK.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Script } from "node:vm";
import type { Manifest } from "../../functions/model/manifest.ts";
import { jsonBytes } from "../../functions/model/shown.ts";
import { readExamples } from "../examples/files.ts";
import { toEvent } from "../local/lambda-http.ts";
import { startFilledS3 } from "../local/filled-s3.ts";
import { MANIFEST_FILE } from "../package-folder.ts";

/** The message of the process when the code is written. */
export interface CompiledCode {
  /** How many versions answered their example. */
  answered: number;
  /** The versions that did not, each with what came instead. */
  failures: string[];
}

interface Package {
  handler: (event: unknown, context: unknown) => Promise<{ statusCode: number; body: string }>;
  script: Script;
}

interface Example {
  name: string;
  version: string;
  input: unknown;
}

/** Larger inputs need no other code, and a function may refuse them. */
const LONGEST_INPUT_BYTES = 512 * 1024;

const [folder = "", models = "", base = ""] = process.argv.slice(2);

const s3 = await startFilledS3(models);
const temporary = await mkdtemp(join(tmpdir(), "nearcast-build-"));
Object.assign(process.env, s3.environment, {
  AUTH: "none",
  ACCESS_LOG: "false",
  CACHE_DIR: temporary,
});
try {
  const entry = pathToFileURL(join(resolve(folder), "index.mjs"));
  const { handler, script } = (await import(entry.href)) as Package;
  const code: CompiledCode = { answered: 0, failures: [] };
  for (const example of await examples(s3.keys)) {
    const { statusCode, body } = await handler(await toEvent(requestFor(example)), {});
    if (statusCode === 200) code.answered += 1;
    else
      code.failures.push(`${example.name}@${example.version}: it answered ${statusCode}: ${body}`);
  }
  await writeFile(join(folder, "bundle.cjs.cache"), script.createCachedData());
  process.send?.(code);
} finally {
  await s3.close();
  await rm(temporary, { recursive: true, force: true });
  process.disconnect?.();
}

/** The first example of each version that has one. Manifests are not checked here: the function does that. */
async function examples(keys: readonly string[]): Promise<Example[]> {
  const found: Example[] = [];
  for (const key of keys) {
    const [name, version, file] = key.split("/");
    if (!name || !version || file !== "model.json") continue;
    const short = await shortExample(join(models, name, version)).catch(() => undefined);
    if (short) found.push({ name, version, input: short.input });
  }
  return found;
}

async function shortExample(folder: string) {
  const json = JSON.parse(await readFile(join(folder, MANIFEST_FILE), "utf8")) as Manifest;
  const given = await readExamples({
    folder,
    manifest: { ...json, examples: json.examples ?? [] },
  });
  return given.find(({ input }) => jsonBytes(input) <= LONGEST_INPUT_BYTES);
}

function requestFor({ name, version, input }: Example): Request {
  const path = `${base}/v1/models/${name}/versions/${version}/predict`;
  return new Request(`https://build.invalid${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ inputs: input }),
  });
}
