import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../functions/version.ts";
import { packageRoot } from "../own-module.ts";

export const PLATFORMS = ["cloudflare", "lambda", "node"] as const;
export type PlatformName = (typeof PLATFORMS)[number];

export interface Project {
  name: string;
  platforms: readonly PlatformName[];
}

/** The files of a project, with their templates. Some are only for certain platforms. */
const FILES: readonly { path: string; template: string; platforms?: PlatformName[] }[] = [
  { path: ".dockerignore", template: "dockerignore", platforms: ["node"] },
  { path: ".github/workflows/deploy.yml", template: "github/deploy.yml" },
  {
    path: ".github/workflows/preview.yml",
    template: "github/preview.yml",
    platforms: ["cloudflare", "lambda"],
  },
  { path: ".gitignore", template: "gitignore" },
  { path: ".npmrc", template: "npmrc", platforms: ["cloudflare", "lambda"] },
  { path: "Dockerfile", template: "Dockerfile", platforms: ["node"] },
  { path: "README.md", template: "README.md" },
  { path: "nearcast.config.ts", template: "nearcast.config.ts" },
  { path: "src/lambda.ts", template: "src/lambda.ts", platforms: ["lambda"] },
  { path: "src/server.ts", template: "src/server.ts", platforms: ["node"] },
  { path: "src/worker.ts", template: "src/worker.ts", platforms: ["cloudflare"] },
  { path: "test/predict.test.mjs", template: "test/predict.test.mjs" },
  { path: "tsconfig.json", template: "tsconfig.json" },
  { path: "wrangler.toml", template: "wrangler.toml", platforms: ["cloudflare"] },
];

/** What this repository deploys to Lambda with, and projects do too. */
const STACK_FILES = ["serverless.yml", "infra/aws"];

const MODEL_FILES = ["1/model.json", "1/model.onnx", "heldout.jsonl", "release.json"];

const START: Record<PlatformName, Record<string, string>> = {
  // Without these settings the server holds more memory, and garbage collections take longer.
  node: {
    prestart: "nearcast build node",
    start:
      "node --min-semi-space-size=4 --max-semi-space-size=4 --initial-old-space-size=64 --no-parallel-scavenge --no-concurrent-array-buffer-sweeping --no-allocation-site-pretenuring --no-maglev --v8-pool-size=1 dist/node/server.mjs",
  },
  cloudflare: { start: "nearcast dev --edge" },
  lambda: { start: "nearcast dev --lambda" },
};

/** The lowest Node version of each platform's tools. wrangler needs 22, and Lambda's code is compiled by 24. */
const TOOLS: Record<PlatformName, readonly string[]> = {
  node: [],
  cloudflare: ["node", "wrangler"],
  lambda: ["aws-lambda-ric", "node", "osls"],
};

/** The install scripts that may run. Those of other packages would download or compile what is not needed. */
const INSTALL_SCRIPTS: Record<string, boolean> = {
  "aws-lambda-ric": false,
  esbuild: true,
  "es5-ext": false,
  node: true,
  "onnxruntime-node": false,
  protobufjs: false,
  sharp: false,
  workerd: true,
};

/** The root of this repository, or of its files in the package. */
const BESIDE = join(import.meta.dirname, "../..");

function stackFiles(): string[] {
  return STACK_FILES.flatMap((path) =>
    path.endsWith(".yml") ? path : readdirSync(join(BESIDE, path)).map((file) => `${path}/${file}`),
  );
}

/** The files of a new project, by path. */
export function projectFiles(project: Project): Map<string, string | Uint8Array> {
  const root = packageRoot();
  const files = new Map<string, string | Uint8Array>();
  files.set("package.json", packageJson(project));
  for (const { path, template, platforms = project.platforms } of FILES)
    if (platforms.some((platform) => project.platforms.includes(platform))) {
      const text = readFileSync(join(import.meta.dirname, "../templates", template), "utf8");
      files.set(path, fillIn(text, project));
    }
  if (project.platforms.includes("lambda"))
    for (const path of stackFiles()) {
      const text = readFileSync(join(BESIDE, path), "utf8");
      files.set(path, text.replace(/^service: nearcast$/m, `service: ${project.name}`));
    }
  for (const file of MODEL_FILES)
    files.set(`models/iris/${file}`, readFileSync(join(root, "models/iris", file)));
  return files;
}

/**
 * `{{name}}` is the project's name. Text between `{{#cloudflare|lambda}}` and `{{/}}` is for projects on either
 * platform.
 */
export function fillIn(template: string, { name, platforms }: Project): string {
  return template
    .replaceAll(/^\{\{#([\w|]+)\}\}\n([^]*?)^\{\{\/\}\}\n/gm, (_, names: string, part: string) =>
      platforms.some((platform) => names.split("|").includes(platform)) ? part : "",
    )
    .replaceAll("{{name}}", name);
}

/**
 * The project's name, made from its folder's. It suits a Worker, a bucket and a stack. Throws if no character is left.
 */
export function projectName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "")
    .slice(0, MAX_NAME)
    .replace(/-+$/, "");
  if (name === "")
    throw new Error(
      `No project can be named after the folder ${JSON.stringify(folder)}: the name of a Worker or a bucket needs letters (a to z). Give the folder another name.`,
    );
  return name;
}

/** A bucket's name has at most 63 characters, and ends with `-models`. */
const MAX_NAME = 48;

function packageJson({ name, platforms }: Project): string {
  const versions = ownVersions();
  const tools = [...new Set(platforms.flatMap((platform) => TOOLS[platform]))].toSorted();
  const first = platforms.includes("node") ? "node" : (platforms[0] ?? "node");
  const json = {
    name,
    private: true,
    type: "module",
    scripts: { ...START[first], test: "node --test" },
    dependencies: { nearcast: `^${VERSION}` },
    ...(tools.length > 0 && {
      devDependencies: Object.fromEntries(tools.map((tool) => [tool, `^${versions[tool]}`])),
    }),
    engines: { node: ">=20" },
    allowScripts: INSTALL_SCRIPTS,
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

/** The tools that this version was tested with. */
function ownVersions(): Record<string, string> {
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  return (JSON.parse(text) as { devDependencies: Record<string, string> }).devDependencies;
}
