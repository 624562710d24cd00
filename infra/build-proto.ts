import { execFileSync } from "node:child_process";
import { join } from "node:path";

/**
 * Writes the TypeScript of each `.proto` beside it: `npm run build:proto`. With a folder as its argument it writes there.
 * The tools take 100 MB, so they are no dependencies.
 */
const PROTOS = join(import.meta.dirname, "../functions/dialects/open-inference/grpc");
const TOOLS = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0"];

const out = process.argv[2] ?? PROTOS;
const template = {
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out, opt: ["target=ts", "import_extension=ts"] }],
};
execFileSync(
  "npm",
  [
    "exec",
    "--yes",
    ...TOOLS.map((tool) => `--package=${tool}`),
    "--",
    "buf",
    "generate",
    "--template",
    JSON.stringify(template),
    PROTOS,
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
);
