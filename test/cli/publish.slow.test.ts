import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nearcastProcess, removeLines, succeed, temporaryFolder } from "./nearcast.ts";
import { publishing, STORE } from "./publishing.ts";

const LIMIT_MS = 300_000;
afterAll(removeLines);

test(
  "of two releases at once one wins, on S3 and in a folder",
  async () => {
    const { models, env, push } = await publishing();
    const folder = join(await temporaryFolder(), "store");
    await cp(models, folder, { recursive: true });
    for (const version of ["line@1", "line@2"]) await succeed(push(version), env);
    for (const store of [STORE, folder]) {
      // Before the first release, and over an earlier one.
      for (let round = 0; round < 2; round++) {
        const versions = ["line@1", "line@2"];
        const outcomes = await Promise.all(
          versions.map((version) =>
            nearcastProcess(["release", version, "--store", store], { env }),
          ),
        );
        const shown = await succeed(["history", "line", "--json", "--store", store], env);
        const { stable, history } = JSON.parse(shown) as { stable: string; history: unknown[] };
        // One may have read after the other had written. Then it released over it, and there was no race.
        const winners = outcomes.filter(({ code }) => code === 0).length;
        expect(["1", "2"]).toContain(stable);
        expect(history.length).toBeLessThanOrEqual(winners + round * 2);
        for (const { code, stderr } of outcomes)
          if (code !== 0) expect(stderr).toMatch(/at the same time|is released already/);
      }
    }
  },
  LIMIT_MS,
);
