import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { assign } from "../../functions/model/assignment.ts";
import { createRegistry } from "../../functions/model/registry.ts";
import { changeRelease } from "../../functions/model/change-release.ts";
import { isNewerFormat, parseRelease } from "../../functions/model/release.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-release-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const json = (value: unknown) => JSON.stringify(value);

test("format 1 is read, and has no candidates", () => {
  expect(parseRelease(json({ stable: "3", history: [{ version: "3" }] }))).toMatchObject({
    schema: 1,
    stable: "3",
    candidates: [],
    history: [{ version: "3" }],
  });
});

test("format 2 is read, with members that this code does not know", () => {
  const release = parseRelease(
    json({
      schema: 2,
      revision: 12,
      stable: "3",
      candidates: [
        { version: "4", percent: 5 },
        { version: "5", shadow: 10 },
      ],
      salt: "a",
      policy: { rollback: { alpha: 0.01 } },
      history: [{ version: "3", note: "new here" }],
      region: "north",
    }),
  );
  expect(release).toMatchObject({ revision: 12, stable: "3", region: "north" });
  expect(release.candidates).toHaveLength(2);
});

test.each([
  ["a newer format", { schema: 3, stable: { name: "3" } }, undefined],
  ["a newer format", { schema: 7, stable: "3", candidates: "4 at 5 %" }, "3"],
  ["candidates that are none", { schema: 2, stable: "3", candidates: [{ version: "4" }] }, "3"],
  ["a history that is none", { stable: "3", history: "long" }, "3"],
  ["no stable version", { schema: 2, candidates: [] }, undefined],
  ["a stable version that is a path", { stable: "../3" }, undefined],
])("of %s only what is understood counts, the stable version above all", (_, value, stable) => {
  if (stable === undefined) expect(() => parseRelease(json(value))).toThrow("stable");
  else expect(parseRelease(json(value))).toMatchObject({ stable, candidates: [] });
});

test("an instance that meets a newer format answers from the stable version, and says so in its log", async () => {
  const logged: Record<string, unknown>[] = [];
  const platform = createNodePlatform({});
  const release = json({ schema: 9, stable: "2", candidates: [{ version: "1", region: "north" }] });
  const store = {
    ...platform.store,
    get: async (key: string, options?: object) =>
      key === "digits/release.json"
        ? { bytes: new TextEncoder().encode(release), etag: "9" }
        : platform.store.get(key, options),
  };
  const log = (entry: Record<string, unknown>) => void logged.push(entry);
  const registry = createRegistry({ ...platform, store, log }, createTasks());
  expect((await registry.resolve("digits", { key: "ada" })).manifest.version).toBe("2");
  expect(logged).toContainEqual(
    expect.objectContaining({ level: "warn", model: "digits", format: 9 }),
  );
});

test("a release is written in format 2, keeps what it does not know, and ends the trial of candidates", async () => {
  const folder = await emptyFolder();
  const store = createFolderStore(folder);
  const before = {
    schema: 2,
    revision: 4,
    stable: "3",
    candidates: [{ version: "4", percent: 5 }],
    salt: "abc",
    history: [{ version: "3" }],
    region: "north",
  };
  await store.put("m/release.json", new TextEncoder().encode(json(before)));
  await changeRelease(store, "m", () => ({ version: "4", by: "ada" }));
  expect(JSON.parse(await readFile(join(folder, "m/release.json"), "utf8"))).toEqual({
    ...before,
    revision: 5,
    stable: "4",
    candidates: [],
    history: [{ version: "4", by: "ada" }, { version: "3" }],
  });
});

test("a release of a newer format is not written over", async () => {
  const folder = await emptyFolder();
  const store = createFolderStore(folder);
  const newer = json({ schema: 3, stable: "3" });
  await store.put("m/release.json", new TextEncoder().encode(newer));
  await expect(changeRelease(store, "m", () => ({ version: "4" }))).rejects.toThrow(
    "Update nearcast",
  );
  expect(await readFile(join(folder, "m/release.json"), "utf8")).toBe(newer);
  expect(isNewerFormat(parseRelease(newer))).toBe(true);
});

const KEYS = 100_000;

function share(percent: number, salt = "salt"): Set<string> {
  const release = parseRelease(
    json({ schema: 2, stable: "1", salt, candidates: [{ version: "2", percent }] }),
  );
  const chosen = new Set<string>();
  for (let index = 0; index < KEYS; index++)
    if (assign(release, `customer-${index}`).version === "2") chosen.add(`customer-${index}`);
  return chosen;
}

test("a candidate gets its share of keys within 3 standard deviations, and keeps them when it grows", () => {
  let before = share(0);
  expect(before.size).toBe(0);
  for (const percent of [1, 5, 25, 50, 99]) {
    const now = share(percent);
    const expected = (KEYS * percent) / 100;
    const deviation = Math.sqrt(expected * (1 - percent / 100));
    expect(Math.abs(now.size - expected), `${percent} %`).toBeLessThan(3 * deviation);
    for (const key of before) expect(now.has(key)).toBe(true);
    before = now;
  }
  expect(share(100).size).toBe(KEYS);
});

test("another salt draws other keys, and no key is the stable version", () => {
  const [one, other] = [share(50), share(50, "pepper")];
  const both = [...one].filter((key) => other.has(key)).length;
  expect(both / KEYS).toBeGreaterThan(0.24);
  expect(both / KEYS).toBeLessThan(0.26);
  const release = parseRelease(
    json({ schema: 2, stable: "1", candidates: [{ version: "2", percent: 100 }] }),
  );
  expect(assign(release, undefined)).toEqual({ version: "1", reason: "stable", release });
  expect(assign(release, "ada")).toEqual({ version: "2", reason: "candidate", release });
});
