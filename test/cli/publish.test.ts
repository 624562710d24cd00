import type { ChildProcess } from "node:child_process";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { ManifestOf } from "../../functions/model/manifest.ts";
import type { regressionOptions } from "../../functions/tasks/tabular-regression/options.ts";
import { startNodeServer } from "../harness/node-server.ts";
import {
  addLines,
  nearcast,
  nearcastProcess,
  removeLines,
  root,
  snapshot,
  succeed,
  temporaryFolder,
} from "./nearcast.ts";
import { publishing, STORE } from "./publishing.ts";

type Draft = ManifestOf<typeof regressionOptions>;

const LIMIT_MS = 300_000;

afterAll(removeLines);

test(
  "a push that is killed between artifact and manifest is never served, and is taken up again",
  async () => {
    const { s3, env, push } = await publishing();
    let child: ChildProcess | undefined;
    s3.behaviourFor = (key) => {
      if (!key.endsWith("1/model.json") || !s3.keys("models").some((one) => one.endsWith(".onnx")))
        return undefined;
      child?.kill("SIGKILL");
      return "stall";
    };
    const killed = await nearcastProcess(push("line@1"), {
      env,
      onStart: (started) => (child = started),
    });
    expect(killed.code).toBe(null);
    s3.behaviourFor = undefined;
    expect(s3.keys("models")).toEqual(["prefix/line/1/model.onnx"]);

    const refused = await nearcast(["release", "line@1", "--store", STORE], { env });
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("The store has no line@1");
    const server = await startNodeServer({
      cwd: root,
      env: { ...env, STORE, CACHE_DIR: await temporaryFolder() },
    });
    onTestFinished(async () => void (await server.stop()));
    expect(await (await server.fetch("/v1/models")).json()).toMatchObject({ models: [] });

    s3.requests.length = 0;
    const resumed = await nearcast(push("line@1"), { env });
    expect(resumed).toMatchObject({ code: 0 });
    const puts = s3.requests.filter(({ method }) => method === "PUT").map(({ key }) => key);
    expect(puts).toEqual(["prefix/line/1/model.json"]);
    expect(resumed.stderr).toContain("present line/1/model.onnx");
  },
  LIMIT_MS,
);

test(
  "a store that stalls ends the push with a message and no manifest",
  async () => {
    const { s3, env, push } = await publishing();
    s3.behaviourFor = (key) => (key.endsWith("model.onnx") ? "stall" : undefined);
    const { code, stderr } = await nearcastProcess(push("line@1"), {
      env: { ...env, STORE_TIMEOUT_MS: "1000" },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("within 1 s");
    expect(s3.keys("models")).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "the same bytes can be pushed again, other bytes under the same version cannot",
  async () => {
    const { s3, models, env, push } = await publishing();
    await succeed(push("line@1"), env);
    const before = s3.keys("models").map((key) => [key, s3.get("models", key)?.toString("hex")]);
    expect(await succeed(push("line@1"), env)).toContain("already, with the same bytes");
    expect(s3.requests.filter(({ method }) => method === "PUT")).toHaveLength(2);

    const path = join(models, "line/1/model.json");
    const manifest = await readFile(path, "utf8");
    await writeFile(path, manifest.replace("Added from", "Taken from"));
    const { code, stderr } = await nearcast(push("line@1"), { env });
    expect(code).toBe(1);
    expect(stderr).toContain("already in the store with other bytes");
    expect(s3.keys("models").map((key) => [key, s3.get("models", key)?.toString("hex")])).toEqual(
      before,
    );
  },
  LIMIT_MS,
);

test(
  "a release that lost the race changes nothing and says who won",
  async () => {
    const { s3, env, push } = await publishing();
    for (const version of ["line@1", "line@2"]) await succeed(push(version), env);
    // After this release has read that there is none, another one is written.
    const theirs = JSON.stringify({ stable: "2", history: [{ version: "2", by: "ada" }] });
    let seen = 0;
    s3.behaviourFor = (key) => {
      if (key.endsWith("release.json") && ++seen === 2) s3.put("models", key, theirs);
      return undefined;
    };
    const { code, stderr } = await nearcast(["release", "line@1", "--store", STORE], { env });
    expect(code).toBe(1);
    expect(stderr).toContain("at the same time; version 2 answers, released by ada");
    expect(s3.get("models", "prefix/line/release.json")?.toString()).toBe(theirs);
  },
  LIMIT_MS,
);

test(
  "a release reads every file of the version once",
  async () => {
    const { s3, env, push } = await publishing();
    await succeed(push("line@1"), env);
    const before = s3.requests.length;
    await succeed(["release", "line@1", "--store", STORE], env);
    const asked = s3.requests
      .slice(before)
      .filter(({ key }) => key.startsWith("prefix/line/1/"))
      .map(({ method, key }) => `${method} ${key}`);
    expect(asked.toSorted()).toEqual([
      "GET prefix/line/1/model.json",
      "GET prefix/line/1/model.onnx",
    ]);
  },
  LIMIT_MS,
);

test(
  "a version that is not whole in the store is not released",
  async () => {
    const { models } = await publishing();
    await succeed(["release", "line@1", "--store", models]);
    await writeFile(join(models, "line/2/model.onnx"), "short");
    const before = await snapshot(models);
    for (const [args, reason] of [
      [["release", "line@2"], "model.onnx has 5 bytes"],
      [["release", "line@3"], "it has 1, 2"],
      [["release", "line"], "which version"],
      [["release", "line@1"], "released already"],
      [["rollback", "line"], "no earlier release"],
      [["rollback", "other"], "never released"],
    ] as const) {
      const { code, stderr } = await nearcast([...args, "--store", models]);
      expect(code).toBe(1);
      expect(stderr).toContain(reason);
    }
    expect(await snapshot(models)).toEqual(before);
  },
  LIMIT_MS,
);

test(
  "a release written by hand can be released over and rolled back to",
  async () => {
    const { models } = await publishing();
    await writeFile(join(models, "line/release.json"), '{ "stable": "1" }\n');
    await succeed(["release", "line@2", "--store", models]);
    await succeed(["rollback", "line", "--store", models]);
    const { history, stable } = JSON.parse(
      await readFile(join(models, "line/release.json"), "utf8"),
    ) as { stable: string; history: { version: string }[] };
    expect(stable).toBe("1");
    expect(history.map(({ version }) => version)).toEqual(["1", "2", "1"]);
  },
  LIMIT_MS,
);

test(
  "a lock that a killed release left is named with its age, and taken over after its time",
  async () => {
    const { models } = await publishing();
    await succeed(["release", "line@1", "--store", models]);
    const lock = join(models, "line/release.json.lock");
    await mkdir(lock);
    const refused = await nearcast(["release", "line@2", "--store", models]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/the lock \S*release\.json\.lock is \d+ s old.*after 60 s/);
    for (const [offset, version] of [
      [-120_000, "2"],
      [86_400_000, "1"],
    ] as const) {
      await mkdir(lock, { recursive: true });
      const date = new Date(Date.now() + offset);
      await utimes(lock, date, date);
      await succeed(["release", `line@${version}`, "--store", models]);
    }
    expect(await readdir(join(models, "line"))).not.toContain("release.json.lock");
  },
  LIMIT_MS,
);

describe("a version that could not answer is neither released nor rolled back to", () => {
  const cases: Record<string, [change: (manifest: Draft) => void, said: string[]]> = {
    "a manifest with wrong members": [
      (manifest) =>
        Object.assign(manifest, {
          task: "image",
          inputs: [{ ...manifest.inputs[0], shape: 3 }],
          secret: 1,
        }),
      [
        "line/2/model.json in the store is not a valid manifest",
        '"secret" is not known here',
        'task: must be one of "tabular-classification", ',
        "inputs[0].shape: must be an array, not a number",
      ],
    ],
    "a manifest whose task cannot be made": [
      (manifest) => (manifest.regression = { output: "nothing" }),
      [
        "line@2 could not answer, so nothing was released",
        "model.json of line version 2",
        "regression.output must name an FP32, FP64 or FP16 output",
      ],
    ],
    "a file with another digest": [
      (manifest) => (manifest.artifact.sha256 = "0".repeat(64)),
      ["The file model.onnx of line version 2 does not match its sha256"],
    ],
    "an asset that is missing": [
      (manifest) => (manifest.assets = [{ file: "words.json", bytes: 2, sha256: "0".repeat(64) }]),
      ["line@2 is not complete in the store: words.json is missing"],
    ],
  };

  test.for(Object.entries(cases))("%s", { timeout: LIMIT_MS }, async ([, [change, said]]) => {
    const models = await broken("2", change);
    const before = await snapshot(models);
    const { code, stdout, stderr } = await nearcast(["release", "line@2", "--store", models]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).not.toMatch(/[✖→{]/);
    expect(await snapshot(models)).toEqual(before);
  });

  test(
    "a rollback to it",
    async () => {
      const models = await broken("1", (manifest) => (manifest.regression = { output: "x" }), true);
      const { code, stderr } = await nearcast(["rollback", "line", "--store", models]);
      expect(code).toBe(1);
      expect(stderr).toContain("line@1 could not answer, so nothing was released");
      const shown = await succeed(["history", "line", "--json", "--store", models]);
      expect(JSON.parse(shown)).toMatchObject({ stable: "2" });
    },
    LIMIT_MS,
  );
});

/** Versions 1 and 2 of `line`. Version 1 answers, and `change` breaks `version`. */
async function broken(version: string, change: (manifest: Draft) => void, rolledBack = false) {
  const models = await temporaryFolder();
  await addLines(models);
  await succeed(["release", "line@1", "--store", models]);
  if (rolledBack) await succeed(["release", "line@2", "--store", models]);
  const path = join(models, `line/${version}/model.json`);
  const manifest = JSON.parse(await readFile(path, "utf8")) as Draft;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
  return models;
}
