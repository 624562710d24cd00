import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { deployAndAsk } from "../../cli/deploy/go-back.ts";
import { deployStack } from "../../cli/deploy/lambda-stack.ts";
import { removeLambda } from "../../cli/deploy/preview.ts";
import { root } from "../cli/nearcast.ts";
import { makeClone } from "../harness/as-a-user.ts";
import { startAwsApi, type AwsApi } from "./aws-api.ts";
import { runOnEdge, startEdge, type Edge } from "./edge.ts";
import { publishedRepository, runJob } from "./runner.ts";

vi.setConfig({ testTimeout: 600_000 });

const KEY = "a-key-of-the-pipeline";
const MODELS = [
  "anomaly",
  "diabetes",
  "digits",
  "entities",
  "iris",
  "objects",
  "rank",
  "retail",
  "search",
  "sentiment",
];

let work: string;
let repository: Awaited<ReturnType<typeof publishedRepository>>;
let edge: Edge;
let aws: AwsApi;
/** The clone whose package is deployed to AWS. */
let folder: string;
/** What the next function on AWS gets besides its template. */
let nextEnv: Record<string, string> = {};

/** A job of this repository, with the packages that `npm ci` installed here. */
const job = () => ({ repository: repository.bare, installed: root });
const deploy = () => runOnEdge(edge, { ...job(), workflow: "deploy.yml" });

beforeAll(async () => {
  work = await makeClone();
  repository = await publishedRepository(work);
  await repository.push("As it is");
  edge = await startEdge(join(root, "dist/worker"), () => ({}));
});
afterAll(async () => {
  await edge?.stop();
  await aws?.stop();
});

test("this repository's models are shipped, and answer in workerd from R2", async () => {
  const { output, ran, failed } = await deploy();
  expect(failed, output).toBeUndefined();
  expect(ran).toEqual([
    'npm run nearcast -- train --store "$STORE"',
    'npm run nearcast -- ship --all --to "$STORE"',
    "npm run nearcast -- deploy cloudflare --stage production --smoke",
  ]);
  for (const name of MODELS)
    expect(output).toMatch(new RegExp(`^${name}@1: .*(as recorded|no short example to ask)$`, "m"));
  expect(edge.cloudflare.deployed).toHaveLength(2);
  const { headers } = await edge.worker.fetch("/v1/models");
  expect(headers.get("x-deployment-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("the same models answer from S3, by the package that osls deploys", async () => {
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  aws = await startAwsApi(JSON.stringify([{ name: "ci", sha256 }]), () => nextEnv);
  for (const { key } of (await (await edge.worker.bucket()).list()).objects)
    aws.s3.put("models", key, (await edge.worker.get(key)) ?? "");
  const outcome = await runJob({
    ...job(),
    workflow: "deploy.yml",
    job: "lambda",
    context: { "vars.STORE": "s3://models", "secrets.NEARCAST_KEY": KEY },
    env: aws.env,
  });
  const { output, ran, failed } = outcome;
  expect(failed, output).toBeUndefined();
  expect(ran).toEqual([
    'npm run nearcast -- train --store "$STORE"',
    'npm run nearcast -- ship --all --to "$STORE"',
    "npm run build:assets",
    "npm run nearcast -- deploy lambda --entry entries/lambda.ts --stage production --smoke",
  ]);
  for (const name of MODELS) {
    expect(output).toContain(`${name}@1 was released or tried`);
    expect(output).toMatch(new RegExp(`^${name}@1: .*(as recorded|no short example to ask)$`, "m"));
  }
  expect(await deployedOnAws()).toMatch(/^[0-9a-f-]{36}$/);
  ({ folder } = outcome);
});

test("osls brings back what ran before when a deployment fails, and removes it", async () => {
  inFolder(folder, aws.env);
  const before = await deployedOnAws();
  vi.stubEnv("DEPLOYMENT_ID", "bad");
  // It trusts no key that has signed a model.
  nextEnv = { TRUSTED_KEYS: Buffer.alloc(32, 1).toString("base64") };
  const stage = ["--stage", "production"];
  const deploying = deployAndAsk(
    { run: async (deployed) => void deployed.push({ ...(await deployStack(stage)), id: "bad" }) },
    { key: KEY, tolerance: 1e-4, waitSeconds: 2 },
  );
  await expect(deploying).rejects.toThrow(/ What was deployed before answers again\.$/);
  expect(await deployedOnAws()).toBe(before);

  await removeLambda({ name: "production", others: [] });
  expect(aws.stacks()).toEqual([]);
  expect(["models", "deployments"].flatMap((bucket) => aws.s3.keys(bucket))).toEqual([]);
});

test("a version that answers otherwise than recorded is not published", async () => {
  const before = await state();
  await addWrongIris();
  await repository.push("iris@2 is recorded wrong");
  const { output, ran, failed } = await deploy();
  expect(failed).toBe('npm run nearcast -- ship --all --to "$STORE"');
  expect(output).toMatch(/iris@2 .*output\.label is "setosa", not "virginica"/);
  expect(ran).not.toContainEqual(expect.stringContaining("deploy"));
  expect(await state()).toEqual(before);
});

test("a release publishes both packages, and nothing for a tag that is not theirs", async () => {
  const asked: string[] = [];
  // It knows no package, and takes none.
  const registry = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.writeHead(404).end("{}");
  });
  onTestFinished(() => void registry.close());
  await new Promise<void>((resolve) => void registry.listen(0, "127.0.0.1", resolve));
  const { port } = registry.address() as AddressInfo;
  const publish = (tag: string) =>
    runJob({
      ...job(),
      workflow: "publish.yml",
      job: "npm",
      context: { "github.event.release.tag_name": tag },
      env: { npm_config_registry: `http://127.0.0.1:${port}/` },
      instead: withoutCloud(/^node infra\/publish\.ts/),
    });
  const good = await publish(`v${packageJson.version}`);
  expect(good.failed, good.output).toBeUndefined();
  for (const name of ["nearcast", "@nearcast/client"])
    expect(good.output).toContain(`${name}@${packageJson.version} would be published.`);
  const wrong = await publish("v99.0.0");
  expect(wrong.failed).toBe('node infra/publish.ts "$TAG"');
  expect(wrong.output).not.toContain("would be published");
  expect(asked.filter((line) => !line.startsWith("GET "))).toEqual([]);
});

/** Who answers on AWS. */
async function deployedOnAws(): Promise<string | null> {
  return (await fetch(`${aws.url}/health`)).headers.get("x-deployment-id");
}

/** Until the test ends, as the command runs there. */
function inFolder(path: string, env: Record<string, string>): void {
  const before = process.cwd();
  process.chdir(path);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => {
    process.chdir(before);
    vi.unstubAllEnvs();
  });
}

/** The step stops where its cloud would begin. */
const withoutCloud = (step: RegExp) => (command: string) =>
  step.test(command) ? `${command} --dry-run` : undefined;

/** All that a deployment would change. */
async function state() {
  const { objects } = await (await edge.worker.bucket()).list();
  const versions = objects.map(({ key, etag }) => `${key} ${etag}`);
  return { versions, deployed: [...edge.cloudflare.deployed] };
}

async function addWrongIris(): Promise<void> {
  const folder = join(work, "models/iris");
  await cp(join(folder, "1"), join(folder, "2"), { recursive: true });
  const path = join(folder, "2/model.json");
  const manifest = (await readFile(path, "utf8"))
    .replace('"version": "1"', '"version": "2"')
    .replace('"label": "setosa"', '"label": "virginica"');
  await writeFile(path, manifest);
  await writeFile(join(folder, "release.json"), JSON.stringify({ stable: "2" }));
}
