import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { readRelease, type Release } from "../../functions/model/release.ts";
import { addLines, nearcast, removeLines, succeed, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

/** A folder store with two versions of `line`, the first one released. */
async function lines(): Promise<string> {
  const store = await temporaryFolder();
  await addLines(store);
  await succeed(["release", "line@1", "--store", store]);
  return store;
}

async function releaseOf(store: string): Promise<Release> {
  const found = await readRelease(createFolderStore(store), "line");
  if (!found) throw new Error("nothing was released");
  return found.release;
}

const ada = ["--by", "ada"];

test("a version gets a share, more of it, and becomes stable", async () => {
  const store = await lines();
  const at = ["--store", store, ...ada];
  const { salt } = await releaseOf(store);
  const steps = ["--steps", "5,50,100", "--every", "10m", "--min-requests", "200"];
  const said = await succeed(["rollout", "line@2", ...steps, "--why", "new data", ...at]);
  expect(said).toContain("line@2 gets 5 %");
  expect(await releaseOf(store)).toMatchObject({
    schema: 2,
    revision: 2,
    stable: "1",
    salt,
    candidates: [{ version: "2", percent: 5, segments: [{ id: 2, share: 0.05 }] }],
    policy: { steps: { percents: [5, 50, 100], everySeconds: 600 }, minRequests: 200 },
    history: [{ version: "2", by: "ada", why: "new data", change: "5 %" }, { version: "1" }],
  });
  await succeed(["rollout", "line@2", "--percent", "50", ...at]);
  const grown = await releaseOf(store);
  expect(grown.candidates).toMatchObject([
    { percent: 50, segments: [{ id: 2 }, { id: 3, share: 0.5 }] },
  ]);
  expect(grown.policy?.steps?.percents).toEqual([5, 50, 100]);
  expect(await succeed(["promote", "line", ...at])).toContain("line@2 answers everybody");
  expect(await releaseOf(store)).toMatchObject({ stable: "2", candidates: [], salt });
  const history = await succeed(["history", "line", "--store", store]);
  expect(history).toMatch(/2 promoted {2}ada\n.*2 50 % {2}ada\n.*2 5 % {2}ada {2}new data\n/);
  // The trial was no release: the version before is 1.
  expect(await succeed(["rollback", "line", ...at])).toContain("line@1 answers");
});

test("a version gets copies, then a share, and its counts begin anew", async () => {
  const store = await lines();
  const at = ["--store", store, ...ada];
  const bounds = ["--disagreement", "0.02", "--absolute", "0.1"];
  const said = await succeed(["rollout", "line@2", "--shadow", "10", ...bounds, ...at]);
  expect(said).toContain("line@2 gets copies of 10 %");
  expect(await releaseOf(store)).toMatchObject({
    stable: "1",
    candidates: [{ version: "2", shadow: 10, segments: [{ id: 2, share: 0.5 }] }],
    policy: { rollback: { disagreement: 0.02 }, tolerance: { absolute: 0.1, relative: 0.05 } },
    history: [{ version: "2", by: "ada", change: "copies of 10 %" }, { version: "1" }],
  });
  expect(await succeed(["status", "line", "--store", store])).toMatch(
    /^line@1 is stable since \S+ and gets 100 %\.\nline@2 gets copies of 10 % since /,
  );
  await succeed(["rollout", "line@2", "--shadow", "50", ...at]);
  expect((await releaseOf(store)).candidates).toMatchObject([
    { shadow: 50, segments: [{ id: 2 }, { id: 3 }] },
  ]);
  await succeed(["rollout", "line@2", "--percent", "5", ...at]);
  expect((await releaseOf(store)).candidates).toEqual([
    { version: "2", percent: 5, segments: [{ id: 4, share: 0.05, since: expect.anything() }] },
  ]);
  await succeed(["rollout", "line@2", "--shadow", "20", ...at]);
  expect(await succeed(["abort", "line", ...at])).toContain("line@1 answers everybody");
  expect((await releaseOf(store)).history[0]).toMatchObject({ version: "2", change: "aborted" });
});

test("blue and green: everybody, and back", async () => {
  const store = await lines();
  await succeed(["rollout", "line@2", "--percent", "100", "--store", store]);
  expect(await releaseOf(store)).toMatchObject({ stable: "1", candidates: [{ percent: 100 }] });
  expect(await succeed(["abort", "line", "--store", store])).toContain("line@1 answers everybody");
  expect(await releaseOf(store)).toMatchObject({ stable: "1", candidates: [] });
});

test("a release while a version is on trial is allowed, and says so", async () => {
  const store = await lines();
  await succeed(["rollout", "line@2", "--percent", "10", "--store", store]);
  expect((await releaseOf(store)).candidates).toMatchObject([{ version: "2", percent: 10 }]);
  const text = await readFile(join(store, "line/1/model.json"), "utf8");
  const manifest = JSON.parse(text) as object;
  const files = createFolderStore(store);
  const put = (key: string, bytes: Uint8Array) => files.put(`line/3/${key}`, bytes);
  await put("model.onnx", await readFile(join(store, "line/1/model.onnx")));
  await put("model.json", new TextEncoder().encode(JSON.stringify({ ...manifest, version: "3" })));
  const said = await succeed(["release", "line@3", "--store", store]);
  expect(said).toContain("The trial of 2 (10 %) goes on");
  expect(await releaseOf(store)).toMatchObject({
    stable: "3",
    candidates: [{ version: "2", percent: 10, segments: [{ id: 2 }, { id: 3 }] }],
  });
  // Its own release ends its trial.
  expect(await succeed(["release", "line@2", "--store", store])).not.toContain("goes on");
  expect((await releaseOf(store)).candidates).toEqual([]);
});

test.each([
  [["rollout", "line@2"], 2, "say what it gets"],
  [["rollout", "line@2", "--percent", "101"], 2, "percentage"],
  [["rollout", "line@2", "--steps", "5,50"], 2, "--every"],
  [["rollout", "line@2", "--steps", "50,5", "--every", "10m"], 2, "must rise"],
  [["rollout", "line@2", "--steps", "5,50", "--every", "10"], 2, "10m"],
  [["rollout", "line@2", "--percent", "5", "--webhook", "http://example.com/"], 2, "https"],
  [["rollout", "line@2", "--percent", "5", "--alpha", "1"], 2, "between 0 and 1"],
  [["rollout", "line@2", "--shadow", "101"], 2, "percentage"],
  [["rollout", "line@2", "--shadow", "5", "--percent", "5"], 2, "--shadow goes with"],
  [["rollout", "line@2", "--shadow", "5", "--disagreement", "5"], 2, "between 0 and 1"],
  [["rollout", "line@2", "--shadow", "5", "--absolute", "-1"], 2, "0 or more"],
  [["rollout", "line", "--percent", "5"], 1, "Say which version"],
  [["rollout", "line@9", "--percent", "5"], 1, "no line@9"],
  [["rollout", "line@1", "--percent", "5"], 1, "answers already"],
  [["promote", "line"], 1, "no version on trial"],
  [["abort", "line"], 1, "no version on trial"],
  [["rollout", "other@1", "--percent", "5"], 1, "never released"],
])("%j is refused, and nothing changes", async (args, code, message) => {
  const store = await lines();
  const before = await releaseOf(store);
  const outcome = await nearcast([...args, "--store", store]);
  expect(outcome).toMatchObject({ code });
  expect(outcome.stderr).toContain(message);
  expect(await releaseOf(store)).toEqual(before);
});

test("status says who gets what since when, and rollout watch needs to know where the counts are", async () => {
  const store = await lines();
  expect(await succeed(["status", "line", "--store", store])).toMatch(
    /^line@1 is stable since \S+Z and gets 100 %\.\n$/,
  );
  await succeed(["rollout", "line@2", "--percent", "5", "--store", store]);
  const said = await succeed(["status", "line", "--store", store]);
  expect(said).toMatch(/line@1 is stable since \S+ and gets 95 %\.\nline@2 gets 5 % since \S+Z\./);
  const json = JSON.parse(await succeed(["status", "line", "--json", "--store", store])) as object;
  expect(json).toMatchObject({
    stable: "1",
    candidates: [{ version: "2", percent: 5, requests: 0 }],
  });
  const watch = await nearcast(["rollout", "watch", "line", "--store", store, "--once"]);
  expect(watch).toMatchObject({ code: 1 });
  expect(watch.stderr).toContain("Say where the counts are");
});
