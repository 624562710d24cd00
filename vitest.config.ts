import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/harness/build.ts"],
    // Two cores: more workers only make every real server slower than its time-outs.
    maxWorkers: 2,
    // These only end what hangs: a busy machine takes several times as long for anything.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
