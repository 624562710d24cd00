import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import {
  expectStatuses,
  expectStatusesInCsv,
  FILE,
  lookedUp,
  withoutAges,
} from "../batches/looked-up.ts";
import { deploy, served } from "../spillover/deployments.ts";
import { nearcast, temporaryFolder } from "./nearcast.ts";

const { models, table } = await lookedUp();
const FEATURE_SOURCES = `customers=${table}`;
const app = deploy({ STORE: models, FEATURE_SOURCES });
const ask = async (path: string, init?: RequestInit) => app.request(path, init);

async function outputs(...from: string[]): Promise<[jsonl: string, csv: string]> {
  const folder = await temporaryFolder();
  const input = join(folder, "in.csv");
  await writeFile(input, FILE);
  const made = [];
  for (const name of ["out.jsonl", "out.csv"]) {
    const output = join(folder, name);
    const args = ["batch", "churn", "--input", input, "--output", output, ...from];
    expect((await nearcast(args, { env: { FEATURE_SOURCES } })).code).toBe(3);
    made.push(await readFile(output, "utf8"));
  }
  return made as [string, string];
}

test("the command's lines tell where each row's features are from", async () => {
  const [jsonl, csv] = await outputs("--models", models);
  await expectStatuses(ask, jsonl);
  expectStatusesInCsv(csv);
});

test("so they do where a deployment answers", async () => {
  const listener = getRequestListener(app.fetch);
  const server = await served((request, response) => void listener(request, response));
  onTestFinished(server.close);
  const [jsonl, csv] = await outputs("--url", server.url);
  await expectStatuses(ask, jsonl);
  expectStatusesInCsv(csv);
});

test("a deployment of an earlier release gives lines without them", async () => {
  const listener = getRequestListener((request) =>
    app.fetch(new Request(request.url.replace("?features=each", ""), request)),
  );
  const server = await served((request, response) => void listener(request, response));
  onTestFinished(server.close);
  const [jsonl, csv] = await outputs("--url", server.url);
  expect(withoutAges(JSON.parse(jsonl.split("\n")[0] ?? ""))).toEqual({
    value: expect.any(Number) as number,
  });
  expect(csv.split("\n")[1]).toMatch(/^[\d.-]+,{9}$/);
});
