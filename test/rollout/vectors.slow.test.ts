import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { assignment, createClient } from "../../client/src/index.ts";
import { targets } from "../harness/targets.ts";
import { triedModels } from "./models.ts";
import { assignmentVectors, isHeader } from "./vectors.ts";

vi.setConfig({ testTimeout: 180_000 });

test("the recorded vectors are those of the script", async () => {
  const script = join(import.meta.dirname, "../fixtures/make-assignments.py");
  await promisify(execFile)("python3", [script, "--check"]);
});

test.each(Object.entries(targets))("%s gives requests what the vectors have", async (_, begin) => {
  const vectors = assignmentVectors();
  const [first] = vectors;
  if (!first) throw new Error("there are no vectors");
  const { folder, remove } = await triedModels(first.release);
  onTestFinished(remove);
  const target = await begin({ models: folder, env: { RELEASE_TTL_SECONDS: "0" } });
  onTestFinished(target.stop);
  const client = createClient("http://models.example", {
    fetch: (url, init) => {
      const { pathname } = new URL(url);
      return target.fetch(pathname, init);
    },
  });
  for (const { release, assigned } of vectors) {
    await target.store.put("table/release.json", JSON.stringify(release));
    const rollout = await client.rollout("table");
    for (const { key, version, reason } of assigned.filter((one) => isHeader(one.key))) {
      const answer = await target.fetch("/v1/models/table/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Nearcast-Key": key },
        body: '{"inputs": [1]}',
      });
      await answer.text();
      const given = ["X-Model-Version", "X-Model-Assignment"].map((name) =>
        answer.headers.get(name),
      );
      expect(given, key).toEqual([version, reason]);
      expect(assignment(rollout, key), key).toEqual({ version, reason });
    }
  }
});
