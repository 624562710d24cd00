import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { TriedAgain } from "./test/harness/tried-again.ts";

/** The quick tests of these folders leave nothing in the process that others meet, so they may share it and its modules. */
const SHARING =
  "test/{auth,client,conformance,dialects,faults,http,hugging-face,images,model,observe,tasks,wire}/**/*.test.ts";
const ALL = "test/**/*.test.ts";
const SLOW = "test/**/*.slow.test.ts";

export default defineConfig({
  test: {
    globalSetup: ["test/harness/temporary.ts", "test/harness/build.ts"],
    // Two cores: more workers only make every real server slower than its time-outs.
    maxWorkers: 2,
    reporters: ["default", new TriedAgain()],
    projects: [
      suites("quick-sharing", { include: [SHARING], exclude: [SLOW], isolate: false }),
      suites("quick", { include: [ALL], exclude: [SLOW, SHARING] }),
      // Real processes share two cores with whatever else the machine does, so now and then one of thousands of tests is late.
      suites("slow", { include: [SLOW], retry: 1 }),
    ],
  },
});

interface Suites {
  include: string[];
  exclude?: string[];
  isolate?: boolean;
  retry?: number;
}

function suites(name: string, files: Suites) {
  return {
    test: {
      name,
      ...files,
      // Test files in processes of their own compile the same modules again without it.
      env: { NODE_COMPILE_CACHE: join(import.meta.dirname, ".cache/compile") },
      // These only end what hangs: a busy machine takes several times as long for anything.
      testTimeout: 180_000,
      hookTimeout: 180_000,
      expect: { poll: { timeout: 30_000 } },
    },
  };
}
