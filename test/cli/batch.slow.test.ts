import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import { lookedUp } from "../batches/looked-up.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { deploy, serveFetch } from "../spillover/deployments.ts";
import { nearcast, nearcastProcess, root, succeed, temporaryFolder } from "./nearcast.ts";

const HEADER = "sepal_length,sepal_width,petal_length,petal_width\n";

async function irisFile(rows: number): Promise<{ input: string; folder: string }> {
  const folder = await temporaryFolder();
  const input = join(folder, "in.csv");
  const lines = Array.from(
    { length: rows },
    (_, row) => `${4 + (row % 40) / 10},3,${1 + (row % 60) / 10},${(row % 25) / 10}\n`,
  );
  // Some rows have no answer.
  for (let row = 777; row < rows; row += 5000) lines[row] = "1,2,3\n";
  await writeFile(input, HEADER + lines.join(""));
  return { input, folder };
}

/** A command that was killed goes on from here: bytes of output that are in its file of progress. */
async function kept(output: string): Promise<number> {
  const text = await readFile(`${output}.progress`, "utf8").catch(() => '{"outputBytes":0}');
  return (JSON.parse(text) as { outputBytes: number }).outputBytes;
}

async function killAfter(bytes: number, output: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && (await kept(output)) < bytes) await sleep(5);
  child.kill("SIGKILL");
}

const models = join(root, "models");

test("a command that is killed twice gives the output of one that was not", async () => {
  const { input, folder } = await irisFile(100_000);
  const [undisturbed, killed] = [join(folder, "one.jsonl"), join(folder, "two.jsonl")];
  const args = (output: string) =>
    ["batch", "iris@1", "--models", models, "--input", input].concat(["--output", output]);
  expect((await nearcast(args(undisturbed))).code).toBe(3);
  let goneOn = 0;
  for (const bytes of [1_000_000, 6_000_000, Infinity]) {
    const { code, stderr } = await nearcastProcess(args(killed), {
      onStart: (child) => void (bytes !== Infinity && killAfter(bytes, killed, child)),
    });
    if (/Goes on after/.test(stderr)) goneOn += 1;
    expect(code).toBe(bytes === Infinity ? 3 : null);
  }
  expect(goneOn).toBe(2);
  for (const ending of ["", ".errors.jsonl"])
    expect(await readFile(killed + ending, "utf8")).toBe(
      await readFile(undisturbed + ending, "utf8"),
    );
});

test("so does one that looks features up", async () => {
  // Of no known time, so that no age goes on between the runs.
  const { models: own, table } = await lookedUp({ hasTimes: false });
  const folder = await temporaryFolder();
  const input = join(folder, "in.csv");
  const lines = Array.from({ length: 20_000 }, (_, row) => `${42 + (row % 2)},${row}\n`);
  await writeFile(input, `customer_id,income\n${lines.join("")}`);
  const env = { FEATURE_SOURCES: `customers=${table}` };
  const args = ["batch", "churn", "--models", own, "--input", input, "--output"];
  for (const ending of ["jsonl", "csv"]) {
    const [undisturbed, killed] = [join(folder, `one.${ending}`), join(folder, `two.${ending}`)];
    expect((await nearcast([...args, undisturbed], { env })).code).toBe(0);
    const { code: ended } = await nearcastProcess([...args, killed], {
      env,
      onStart: (child) => void killAfter(1, killed, child),
    });
    expect(ended).toBe(null);
    const { code, stderr } = await nearcastProcess([...args, killed], { env });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^Goes on after/)]);
    const output = await readFile(killed, "utf8");
    expect(output).toBe(await readFile(undisturbed, "utf8"));
    expect(output.match(/found/g)).toHaveLength(3 * lines.length);
  }
});

test("a deployment gives the same output, waits as it asks for, and repeats what may be repeated", async () => {
  const { input, folder } = await irisFile(12_000);
  const server = await startNodeServer({ env: { STORE: models, ACCESS_LOG: "false" } });
  onTestFinished(async () => void (await server.stop()));
  let asked = 0;
  // Every third request meets something that passes.
  const proxy = createServer((request, response) => {
    if (request.method === "POST" && ++asked % 3 === 0) {
      if (asked % 2 === 0) return void request.socket.destroy();
      response.writeHead(asked % 9 === 0 ? 503 : 429, { "Retry-After": "1" });
      return void response.end("{}");
    }
    void answerByFetch(server.fetch, request, response);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void proxy.close());
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const [here, there] = [join(folder, "here.csv"), join(folder, "there.csv")];
  const args = ["batch", "iris@1", "--input", input, "--output"];
  expect((await nearcast([...args, here, "--models", models])).code).toBe(3);
  expect(await nearcast([...args, there, "--url", url])).toMatchObject({ code: 3 });
  expect(asked).toBeGreaterThan(12);
  for (const ending of ["", ".errors.jsonl"])
    expect(await readFile(there + ending, "utf8")).toBe(await readFile(here + ending, "utf8"));
});

test("a source of features that is slow is waited for", async () => {
  const { input, folder } = await irisFile(1);
  const app = deploy();
  let asked = 0;
  const { url, close } = await serveFetch({
    async fetch(path, init) {
      if (init?.method !== "POST" || ++asked > 1) return app.request(path, init);
      const late = { code: "features_late", detail: "Too slow." };
      return Response.json(late, { status: 504, headers: { "Retry-After": "1" } });
    },
  });
  onTestFinished(close);
  const args = ["--input", input, "--output", join(folder, "out.jsonl"), "--url", url];
  await succeed(["batch", "iris", ...args]);
  expect(asked).toBe(2);
});

test("a rate that no batch fits is met by smaller ones", async () => {
  const { input, folder } = await irisFile(700);
  const env = { STORE: models, ACCESS_LOG: "false", RATE_LIMIT: "400/1s" };
  const server = await startNodeServer({ env });
  onTestFinished(async () => void (await server.stop()));
  const output = join(folder, "out.jsonl");
  const args = ["--input", input, "--output", output, "--url", server.url, "--at-once", "1"];
  await succeed(["batch", "iris", ...args]);
  expect((await readFile(output, "utf8")).match(/"label"/g)).toHaveLength(700);
});
