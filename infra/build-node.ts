// Makes dist/node/, as `nearcast build node` does. The Node of a production install may not run TypeScript. So this
// file is bundled before it runs.
import { buildNode } from "../cli/build/node.ts";

await buildNode({ entry: "entries/server.ts", output: "dist/node" });
