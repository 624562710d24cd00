import { join } from "node:path";
import { afterAll, onTestFinished, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { removeLines, root, temporaryFolder } from "./nearcast.ts";
import { FRESH, LIMIT_MS, walk } from "./walk.ts";

afterAll(removeLines);

test(
  "from file to endpoint, release and rollback, over a folder on Node",
  async () => {
    const store = join(await temporaryFolder(), "store");
    await walk([store], {}, async () => {
      const server = await startNodeServer({ cwd: root, env: { STORE: store, ...FRESH } });
      onTestFinished(async () => void (await server.stop()));
      return server.fetch;
    });
  },
  LIMIT_MS,
);
