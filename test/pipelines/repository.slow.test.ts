import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { root, s3Environment } from "../cli/nearcast.ts";
import { makeClone } from "../harness/as-a-user.ts";
import { runOnEdge, startEdge, type Edge } from "./edge.ts";
import { publishedRepository, runJob } from "./runner.ts";

vi.setConfig({ testTimeout: 600_000 });

const MODELS = ["diabetes", "digits", "iris", "retail", "search", "sentiment"];

let work: string;
let repository: Awaited<ReturnType<typeof publishedRepository>>;
let edge: Edge;
let s3: S3Server;

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
  await s3?.close();
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

test("Lambda's job finds them in S3, and makes the package and the template", async () => {
  s3 = await startS3({ buckets: ["models"] });
  for (const { key } of (await (await edge.worker.bucket()).list()).objects)
    s3.put("models", key, (await edge.worker.get(key)) ?? "");
  const { folder, output, ran, failed } = await runJob({
    ...job(),
    workflow: "deploy.yml",
    job: "lambda",
    context: { "vars.STORE": "s3://models" },
    env: s3Environment(s3),
    instead: withoutCloud(/ deploy lambda /),
  });
  expect(failed, output).toBeUndefined();
  expect(ran).toEqual([
    'npm run nearcast -- train --store "$STORE"',
    'npm run nearcast -- ship --all --to "$STORE"',
    "npm run build:assets",
    "npm run nearcast -- deploy lambda --entry entries/lambda.ts --stage production --smoke",
  ]);
  for (const name of MODELS) expect(output).toContain(`${name}@1 was released or tried`);
  expect(output).toContain("Service packaged");
  const template = await readFile(
    join(folder, ".serverless/cloudformation-template-update-stack.json"),
    "utf8",
  );
  expect(template).toMatch(/"DEPLOYMENT_ID": "[0-9a-f-]{36}"/);
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
