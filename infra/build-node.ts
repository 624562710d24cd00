// Makes dist/node/, as `nearcast build node` does; `npm run build:node -- x64` makes it for an image. The Node of a production install may not run TypeScript. So this
// file is bundled before it runs.
import { architectureOf } from "../cli/build/architectures.ts";
import { buildNode } from "../cli/build/node.ts";

const [name] = process.argv.slice(2);
await buildNode({
  entry: "entries/server.ts",
  output: "dist/node",
  architecture: name === undefined ? undefined : architectureOf(name),
});
