import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { VARIABLES, type Config } from "../functions/config.ts";
import type { Variable } from "../functions/variable.ts";
import { createPlatform } from "../functions/platform/cloudflare.ts";
import { createLambdaPlatform } from "../functions/platform/lambda.ts";
import { createNodePlatform } from "../functions/platform/node.ts";

const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const section = readme.split("\n## Configuration\n")[1]?.split("\n## ")[0] ?? "";
const table = section
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) =>
    line
      .slice(2, -2)
      .split(" | ")
      .map((cell) => cell.trim()),
  );

/** The defaults of the README's table, by variable: those of `A`, `B` are in one cell, in that order. */
const defaults = new Map<string, string>();
for (const [names = "", cell = ""] of table) {
  const own = [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? "");
  const cells = own.length > 1 && cell !== "" ? cell.split(", ") : own.map(() => cell);
  for (const [index, name] of own.entries()) defaults.set(name, cells[index] ?? "");
}

const SIZES: Record<string, number> = { MiB: 1024 * 1024, MB: 1_000_000, million: 1_000_000 };

/** `6 MiB` as 6291456; text as it is, without its backquotes. */
function valueOf(text: string): unknown {
  const [number = "", size] = text.replaceAll("`", "").split(" ");
  return number !== "" && !Number.isNaN(Number(number))
    ? Number(number) * (size === undefined ? 1 : (SIZES[size] ?? Number.NaN))
    : text.replaceAll("`", "");
}

test("the README's table has every variable, and no other", () => {
  expect([...defaults.keys()].toSorted()).toEqual(Object.keys(VARIABLES).toSorted());
});

const withDefault = Object.entries(VARIABLES as Record<string, Variable>)
  .map(([name, { schema }]) => [name, schema.safeParse(undefined)] as const)
  .filter(([, { success, data }]) => success && data !== undefined);

test.each(withDefault)("the README has the default of %s", (name, { data }) => {
  const [everywhere = ""] = (defaults.get(name) ?? "").split(" · ");
  expect(String(valueOf(everywhere))).toBe(String(data));
});

/** Defaults that a platform has of its own. */
const own: Record<string, (config: Config) => unknown> = {
  STORE: ({ store }) => store,
  RUNTIME: ({ runtime }) => runtime,
  SESSION_BUDGET_MB: ({ sessionBudgetBytes }) => sessionBudgetBytes / 1024 / 1024,
  REQUEST_TIMEOUT_MS: ({ requestTimeoutMs }) => requestTimeoutMs,
  MAX_CONCURRENCY: ({ maxConcurrency }) => maxConcurrency,
  MAX_BODY_BYTES: ({ limits }) => limits.bodyBytes,
  MAX_IMAGE_PIXELS: ({ limits }) => limits.imagePixels,
  MAX_AUDIO_SECONDS: ({ limits }) => limits.audioSeconds,
};
// Node has no Cache API.
vi.stubGlobal("caches", { default: {} });
const configs: Record<string, Config> = {
  "": createNodePlatform({}).config,
  Lambda: createLambdaPlatform({ STORE: "s3://bucket" }).config,
  Workers: createPlatform({
    env: { MODELS: {} },
    waitUntil: () => undefined,
    wasm: new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
    createOrt: () => ({ env: { wasm: {} } }) as never,
    loadDecoder: () => Promise.reject(new Error("no decoder")),
  }).config,
};

test.each(Object.entries(own))("the README has each platform's own default of %s", (name, read) => {
  const [usual = "", ...others] = (defaults.get(name) ?? "").split(" · ");
  const said = new Map(others.map((part) => [part.split(" ")[0], part.replace(/^\w+ /, "")]));
  for (const [platform, config] of Object.entries(configs)) {
    // Lambda has no store unless it is told of one.
    if (platform === "Lambda" && name === "STORE") continue;
    expect(read(config), platform).toBe(valueOf(said.get(platform) ?? usual));
  }
});
