import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { asUser } from "../harness/as-a-user.ts";
import { packNearcast } from "../package/pack.ts";
import { runOnEdge, startEdge, type Edge } from "./edge.ts";
import { addFlowers, changeData } from "./flowers.ts";
import { keepInstalled, publishedRepository, runJob, type Outcome } from "./runner.ts";

const LIMIT_MS = 600_000;
const canTrain = existsSync(join(import.meta.dirname, "../../.cache/training-venv/bin/python3"));
if (!canTrain)
  console.log(
    "There is no .cache/training-venv, which .ci/run makes: pipelines that train are skipped",
  );

const trusted = signingKey();

let project: string;
let repository: Awaited<ReturnType<typeof publishedRepository>>;
let installed: string;
let edge: Edge;
/** What the next deployed version trusts. */
let trustsNow = trusted.publicKey;

describe.skipIf(!canTrain)("the workflow of a project that init made", () => {
  beforeAll(async () => {
    project = await makeProject();
    await addFlowers(project);
    repository = await publishedRepository(project);
    await repository.push("Flowers are trained in CI");
  }, LIMIT_MS);
  afterAll(() => edge?.stop());

  test(
    "checks a change from a fresh clone, and builds what would be deployed",
    { timeout: LIMIT_MS },
    async () => {
      const { folder, ran, output, failed } = await runJob({
        repository: repository.bare,
        workflow: "deploy.yml",
        job: "check",
      });
      expect(failed, output).toBeUndefined();
      expect(ran).toEqual([
        "npm ci",
        "npm test",
        "npx nearcast verify --all",
        "npx nearcast deploy cloudflare --dry-run --stage production",
        "npx nearcast deploy lambda --dry-run --stage production",
      ]);
      expect(output).toContain("iris@1 is good to publish");
      installed = await keepInstalled(folder);
      edge = await startEdge(join(folder, "dist/worker"), () => ({ TRUSTED_KEYS: trustsNow }));
    },
  );

  test(
    "trains, ships and asks: the models answer in workerd from R2",
    { timeout: LIMIT_MS },
    async () => {
      const { output, ran, failed } = await deploy();
      expect(failed, output).toBeUndefined();
      expect(ran).toEqual([
        'npx nearcast train --store "$STORE"',
        'npx nearcast ship --all --to "$STORE"',
        "npx nearcast deploy cloudflare --stage production --smoke",
      ]);
      expect(output).toContain("flowers@1 is trained");
      expect(output).toMatch(/iris@1: \d examples are answered as recorded/);
      expect(await versionOf("flowers")).toBe("1");
    },
  );

  test("trains nothing where no data has changed", { timeout: LIMIT_MS }, async () => {
    await repository.push("Nothing changed");
    const { output, failed } = await deploy();
    expect(failed, output).toBeUndefined();
    expect(output).toContain("nothing has changed since flowers@1 was trained");
    expect(output).not.toContain("trained on");
  });

  test("stops a worse model at the gate", { timeout: LIMIT_MS }, async () => {
    await changeData(project, "wrong");
    await repository.push("Labels slip by a row");
    const { output, failed } = await deploy();
    expect(failed).toMatch(/nearcast ship/);
    expect(output).toContain("flowers@2 is trained");
    expect(output).toMatch(/a gain of -0\.\d+, but 0 is asked for .* Nothing was pushed/);
    expect(await versionOf("flowers")).toBe("1");
  });

  test("releases a better one", { timeout: LIMIT_MS }, async () => {
    await changeData(project, "new");
    await repository.push("This year's flowers");
    const { output, failed } = await deploy();
    expect(failed, output).toBeUndefined();
    expect(output).toMatch(/a gain of 0\.\d+, and 0 is asked for/);
    expect(await versionOf("flowers")).toBe("2");
  });

  test("brings the old one back when the smoke test fails", { timeout: LIMIT_MS }, async () => {
    await changeData(project, "more");
    await repository.push("More flowers");
    // The deployment does not trust this key.
    const { output, failed } = await deploy(signingKey().privateKey);
    expect(failed).toMatch(/nearcast ship/);
    expect(output).toContain("flowers@3 is released");
    expect(output).toMatch(/flowers@3 fails at .* flowers@2 answers again/);
    expect(await versionOf("flowers")).toBe("2");
  });

  test("brings the old deployment back when a new one fails", { timeout: LIMIT_MS }, async () => {
    await repository.push("Nothing of the models changed");
    const before = edge.cloudflare.deployed.at(-1);
    trustsNow = signingKey().publicKey;
    const { output, failed } = await deploy();
    expect(failed).toMatch(/nearcast deploy cloudflare/);
    expect(output).toMatch(/What was deployed fails\..* What was deployed before answers again/s);
    expect(edge.cloudflare.deployed.at(-1)).toBe(before);
    expect(await versionOf("flowers")).toBe("2");
  });

  test(
    "makes a preview of a pull request, asks it, and removes it",
    { timeout: LIMIT_MS },
    async () => {
      const opened = await preview("opened");
      expect(opened.failed, opened.output).toBeUndefined();
      expect(opened.output).toContain("pr-12 is at http://127.0.0.1");
      expect(opened.output).toMatch(/iris@1: \d examples are answered as recorded/);
      expect([...edge.cloudflare.previews]).toEqual(["pr-12"]);
      expect(String(edge.cloudflare.stores)).toContain("r2://MODELS/pr-12/c0ffee");
      const closed = await preview("closed");
      expect(closed.ran).toEqual(['npx nearcast preview cloudflare --name "$NAME" --remove']);
      expect([...edge.cloudflare.previews]).toEqual([]);
    },
  );
});

function preview(action: string): Promise<Outcome> {
  return runOnEdge(edge, {
    repository: repository.bare,
    workflow: "preview.yml",
    context: {
      "github.event.number": "12",
      "github.event.action": action,
      "github.sha": "c0ffee",
    },
    installed,
  });
}

function deploy(key = trusted.privateKey): Promise<Outcome> {
  return runOnEdge(edge, {
    repository: repository.bare,
    workflow: "deploy.yml",
    context: { "secrets.NEARCAST_SIGNING_KEY": key },
    installed,
  });
}

async function versionOf(model: string): Promise<string> {
  const answer = await edge.worker.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      inputs: { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 },
    }),
  });
  return ((await answer.json()) as { version: string }).version;
}

function signingKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    publicKey: publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64"),
  };
}

/** A project of the packed package, with its lock file. */
async function makeProject(): Promise<string> {
  const { tarball, unpacked } = await packNearcast();
  const parent = await mkdtemp(join(tmpdir(), "nearcast-pipeline-"));
  await asUser(`node ${join(unpacked, packageJson.bin.nearcast)} init my-models`, parent);
  const folder = join(parent, "my-models");
  // It is not published.
  const path = join(folder, "package.json");
  const json = JSON.parse(await readFile(path, "utf8")) as { dependencies: { nearcast: string } };
  json.dependencies.nearcast = `file:${tarball}`;
  await writeFile(path, JSON.stringify(json));
  await asUser("npm install --package-lock-only --prefer-offline", folder);
  return folder;
}
