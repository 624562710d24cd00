import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, matchesGlob, normalize } from "node:path";
import { expect, test } from "vitest";

/**
 * The layers of functions/: a file is in the first one with a pattern that fits. Circles of files, which may
 * also lie within a layer, are found by oxlint's `import/no-cycle`.
 */
const LAYERS: Record<string, readonly string[]> = {
  model: [
    "{age,concatenate,deferred,digest,errors,give-back,half-floats,line,loopback,near-miss,plain-issue,plain-reason,tensor,version,within}.ts",
    "model/{assignment,change-release,baseline,feature-lookup,limits,manifest,name,release,release-policy,row-members,signature,store}.ts",
    "wire/*.ts",
  ],
  tasks: ["tasks/**"],
  drivers: ["platform/!(types).ts", "platform/*/*.ts", "runtime/!(types).ts"],
  entries: ["{index,node,lambda,cloudflare,testing}.ts"],
  http: ["http/**", "dialects/**", "openapi/*.ts", "app.ts"],
  service: ["**"],
};

/** What each layer may import from besides itself. */
const BELOW: Record<string, readonly string[]> = {
  model: [],
  tasks: ["model"],
  service: ["model", "tasks"],
  http: ["model", "tasks", "service"],
  drivers: ["model", "tasks", "service"],
  entries: ["model", "tasks", "service", "http", "drivers"],
};

const CORE = new Set(["model", "tasks", "service", "http"]);

/** Packages that belong to one platform or runtime. */
const DRIVER = /^(@aws-sdk|@redis|@hono\/node-server|node:|cloudflare:|onnxruntime-|#onnxruntime)/;

/** The parts that speak HTTP. */
const SPEAKS_HTTP = ["http/**", "dialects/**", "app.ts"];

interface Import {
  from: string;
  /** A file of this repository, or the name of a package. */
  to: string;
}

test("types go one way: model, tasks, service, then HTTP or drivers, then entries", () => {
  const wrong = ours("functions").filter(({ from, to }) => {
    const [layer, imported] = [layerOf(from), layerOf(to)];
    return layer !== imported && !BELOW[layer]?.includes(imported);
  });
  expect(written(wrong)).toEqual([]);
});

test("the core imports no driver", () => {
  const core = packages("functions").filter(({ from }) => CORE.has(layerOf(from)));
  expect(written(core.filter(({ to }) => DRIVER.test(to)))).toEqual([]);
  const hono = core.filter(({ to }) => /^hono(\/|$)/.test(to));
  expect(written(hono.filter(({ from }) => !fits(from, SPEAKS_HTTP)))).toEqual([]);
});

test("native ONNX Runtime is imported in one place, which turns its telemetry off", () => {
  const all = ["functions", "cli", "entries"].flatMap(packages);
  const native = all.filter(({ to }) => to === "onnxruntime-node");
  expect(native.map(({ from }) => from)).toEqual(["functions/runtime/native-ort.ts"]);
});

test("the code of signatures is loaded by the first request that needs it", () => {
  const loaded = new Set(["functions/app.ts", "functions/service.ts"]);
  for (const file of loaded)
    for (const { to } of loadedBy(file)) if (to.endsWith(".ts") || to === "jose") loaded.add(to);
  expect(loaded.has("functions/auth/authenticator.ts")).toBe(true);
  expect([...loaded]).not.toContain("jose");
});

test("a dialect imports no other dialect", () => {
  const wrong = ours("functions/dialects").filter(({ from, to }) => {
    const [own, other] = [dialectOf(from), dialectOf(to)];
    return own !== undefined && other !== undefined && own !== other;
  });
  expect(written(wrong)).toEqual([]);
});

test("nothing that is installed or deployed imports from the tests", () => {
  const wrong = ["functions", "cli", "infra", "entries", "client"]
    .flatMap(ours)
    .filter(({ to }) => /^(test|bench)\//.test(to));
  expect(written(wrong)).toEqual([]);
});

test("every layer has files, and every file is read", () => {
  const layers = new Set(filesOf("functions").map(layerOf));
  expect([...layers].toSorted()).toEqual(Object.keys(LAYERS).toSorted());
  // One import of each kind: of types, of values over several lines, when it is needed, for its effects.
  expect(written(importsOf("functions/index.ts"))).toContain(
    "functions/index.ts -> functions/tasks/define.ts",
  );
  expect(written(importsOf("functions/tasks/recommendation/task.ts"))).toContain(
    "functions/tasks/recommendation/task.ts -> functions/tasks/recommendation/compile.ts",
  );
});

function layerOf(file: string): string {
  const found = Object.entries(LAYERS).find(([, patterns]) => fits(file, patterns));
  return found?.[0] ?? "outside functions";
}

function fits(file: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesGlob(file, `functions/${pattern}`));
}

function dialectOf(file: string): string | undefined {
  return /^functions\/dialects\/([^/]+)\//.exec(file)?.[1];
}

function ours(folder: string): Import[] {
  return filesOf(folder)
    .flatMap(importsOf)
    .filter(({ to }) => to.endsWith(".ts"));
}

function packages(folder: string): Import[] {
  return filesOf(folder)
    .flatMap(importsOf)
    .filter(({ to }) => !to.endsWith(".ts"));
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => join(folder, file));
}

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`, but not what a comment says. */
const SPECIFIER = /^(?![ \t]*(?:\*|\/\/)).*?(?:\bfrom|\bimport)\s*\(?\s*"([^"\n]+)"/gm;

function importsOf(from: string): Import[] {
  return [...readFileSync(from, "utf8").matchAll(SPECIFIER)].map((found) => importOf(from, found));
}

/** What is loaded with a file, and not only when it is needed: neither types nor `import("x")`. */
const LOADED = /^(?:import|export|\})(?! type\b)[^"\n(]*"([^"\n]+)"/gm;

function loadedBy(from: string): Import[] {
  if (!from.endsWith(".ts")) return [];
  return [...readFileSync(from, "utf8").matchAll(LOADED)].map((found) => importOf(from, found));
}

function importOf(from: string, [, specifier = ""]: RegExpExecArray): Import {
  const to = specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
  return { from, to };
}

function written(imports: readonly Import[]): string[] {
  return imports.map(({ from, to }) => `${from} -> ${to}`);
}
