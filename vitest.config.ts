import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/harness/temporary.ts", "test/harness/build.ts"],
    // Two cores: more workers only make every real server slower than its time-outs.
    maxWorkers: 2,
    // These only end what hangs: a busy machine takes several times as long for anything.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Every test file has a process of its own, which compiles the same modules again without it.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, ".cache/compile") },
    expect: { poll: { timeout: 30_000 } },
  },
});
