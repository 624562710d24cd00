import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { filesOfModels } from "../../cli/local/models.ts";
import { samplesOf } from "../harness/samples.ts";
import { targets } from "../harness/targets.ts";
import { startWorker } from "../harness/worker.ts";
import { countsWhatWasSent } from "./suite.ts";

describe("Node with two processes", () =>
  countsWhatWasSent((options) => targets.node({ ...options, env: { WORKERS: "2" } })));
describe("a Worker with its Durable Objects", () => countsWhatWasSent(targets.worker));
describe("a Lambda environment", () => countsWhatWasSent(targets.lambda));

const ask = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
};
const SUCCESS = 'nv_inference_request_success{model="iris",version="1"}';

test("a new isolate goes on where the one before it ended", async () => {
  const worker = await targets.worker();
  try {
    const count = async () => samplesOf(await (await worker.fetch("/metrics")).text()).get(SUCCESS);
    for (let round = 0; round < 5; round++) await worker.fetch("/v1/models/iris/predict", ask);
    await expect.poll(count).toBe(5);
    await worker.restart();
    for (let round = 0; round < 3; round++) await worker.fetch("/v1/models/iris/predict", ask);
    await expect.poll(count).toBe(8);
  } finally {
    await worker.stop();
  }
});

test("without its Durable Objects an isolate counts for itself, and says so once", async () => {
  const worker = await targets.worker({ modelState: false });
  try {
    for (let round = 0; round < 5; round++) await worker.fetch("/v1/models/iris/predict", ask);
    const text = await (await worker.fetch("/metrics")).text();
    expect(samplesOf(text).get(SUCCESS)).toBe(5);
    expect(worker.logs().split("MODEL_STATE").length - 1).toBe(1);
  } finally {
    await worker.stop();
  }
});

/** Miniflare's own dataset keeps nothing. This one says what it is given. */
const DATASET = `import { env } from "cloudflare:workers";
env.ANALYTICS = { writeDataPoint: (point) => console.log(JSON.stringify({ point })) };`;

test("a Worker with a dataset of Analytics Engine writes a data point for each request", async () => {
  const root = join(import.meta.dirname, "../..");
  const directory = await mkdtemp(join(tmpdir(), "nearcast-analytics-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(join(root, "dist/worker"), directory, { recursive: true });
  const built = (await readdir(directory)).find((name) => name.endsWith(".js")) ?? "";
  await writeFile(join(directory, "dataset.js"), DATASET);
  await writeFile(
    join(directory, "bound.js"),
    `import "./dataset.js"; export * from "./${built}"; export { default } from "./${built}";`,
  );
  const toml = await readFile(join(root, "wrangler.toml"), "utf8");
  const worker = await startWorker({
    directory,
    entry: "bound.js",
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(toml)?.[1] ?? "",
    vars: { AUTH: "none", ACCESS_LOG: "false" },
    modelState: true,
  });
  onTestFinished(worker.stop);
  const models = join(root, "models");
  for (const key of await filesOfModels(models))
    if (key.startsWith("iris/")) await worker.put(key, await readFile(join(models, key)));
  for (let round = 0; round < 4; round++) await worker.fetch("/v1/models/iris/predict", ask);
  await worker.fetch("/v1/models/none/predict", ask);
  const points = () =>
    [...worker.logs.matchAll(/^\{"point":(.+)\}$/gm)].map(([, point = ""]) => JSON.parse(point));
  await expect.poll(() => points().length).toBe(5);
  const route = "/v1/models/:model/predict";
  const good = {
    indexes: ["iris"],
    blobs: ["POST", route, "200", "", "iris", "1", "stable"],
    doubles: [1, 1, 0, 1, 0],
  };
  expect(points().slice(1)).toEqual([
    ...Array.from({ length: 3 }, () => good),
    {
      indexes: [""],
      blobs: ["POST", route, "404", "unknown_model", "", "", ""],
      doubles: [1, 0, 0, 0, 0],
    },
  ]);
  expect(points()[0]).toEqual({ ...good, doubles: [1, 1, 0, 1, 1] });
});

test("the lines of CloudWatch's metrics in Lambda's logs have what was sent to all environments", async () => {
  const lambda = await targets.lambda();
  onTestFinished(lambda.stop);
  const wrong = { ...ask, body: JSON.stringify({ inputs: [1] }) };
  const requests = Array.from({ length: 30 }, (_, at) => (at % 6 ? ask : wrong));
  const sums: Record<string, number> = {};
  for (const restart of [undefined, lambda.restart]) {
    await restart?.();
    for (let begin = 0; begin < requests.length; begin += 5)
      await Promise.all(
        requests.slice(begin, begin + 5).map((one) => lambda.fetch("/v1/models/iris/predict", one)),
      );
    const lines = () => lambda.logs().match(/^.*"_aws".*$/gm) ?? [];
    const answered = () =>
      lines()
        .join("\n")
        .match(/"nearcast_http_requests_total":1/g);
    await expect.poll(() => answered()?.length).toBe(requests.length);
    for (const line of lines())
      for (const [name, value] of Object.entries(JSON.parse(line) as object))
        sums[name] = (sums[name] ?? 0) + Number(value);
  }
  expect(sums).toMatchObject({
    nearcast_http_requests_total: 60,
    nv_inference_request_success: 50,
    nv_inference_request_failure: 10,
    nearcast_cold_starts_total: 2,
    nearcast_model_loads_total: 2,
  });
});
