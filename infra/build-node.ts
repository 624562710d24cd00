// Makes dist/node/ as `nearcast build node` does. A production install has a Node that may take no types, so that
// this file is bundled before it runs, and the command is not.
import { buildNode } from "../cli/build/node.ts";

await buildNode({ entry: "entries/server.ts", output: "dist/node" });
