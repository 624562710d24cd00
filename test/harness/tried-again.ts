import type { Reporter, TestModule } from "vitest/node";

/** Names at the end of a run each test that passed only when it was tried again, with how it failed first. */
export class TriedAgain implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const { moduleId, children } of modules)
      for (const test of children.allTests("passed"))
        if (test.diagnostic()?.flaky)
          console.log(
            `\nPassed only when tried again: ${moduleId} > ${test.fullName}\n${test.result().errors?.[0]?.message ?? ""}`,
          );
  }
}
