import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { node20 } from "./harness/node-20.ts";
import { startNodeServer } from "./harness/node-server.ts";
import { link } from "./package/install.ts";
import { packNearcast } from "./package/pack.ts";

const root = join(import.meta.dirname, "..");
const FLOWER = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Each with a part of what it prints. */
const COMMANDS: [command: string, says: string][] = [
  ["list", "iris  1*"],
  ["show iris", "setosa, versicolor, virginica"],
  ["history iris", "iris@1 answers"],
  ["key --name web", '"scopes":["predict","read"]'],
  ["verify iris@1", "AWS Lambda"],
  ["optimize iris@1", "optimised graph"],
  ["eval iris@1 --data flowers.jsonl", "setosa"],
  ["sign iris@1 --key key.pem --create-key", "iris@1 is signed"],
  ["push iris@1 --to store", "To let it answer"],
  ["release iris@1 --store store", "iris@1 answers"],
  ["build node", "dist/node/server.mjs"],
  ["build lambda", "x64.zip"],
];

test.skipIf(!node20)(
  "the packed command works on Node 20, and so does the server that it builds",
  async () => {
    const node = node20 ?? "";
    const { unpacked } = await packNearcast();
    const folder = await mkdtemp(join(tmpdir(), "nearcast-node-20-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const project = join(folder, "mine");
    const cli = join(unpacked, "dist/package/cli/nearcast.js");
    const run = async (command: string, cwd: string): Promise<string> => {
      const made = await promisify(execFile)(node, [cli, ...command.split(" ")], { cwd });
      return made.stdout + made.stderr;
    };
    await run("init mine", folder);
    const modules = join(project, "node_modules");
    await mkdir(modules);
    await link(join(root, "node_modules"), modules);
    await symlink(unpacked, join(modules, "nearcast"));
    const flower = { input: FLOWER, label: "setosa" };
    await writeFile(join(project, "flowers.jsonl"), `${JSON.stringify(flower)}\n`);
    for (const [command, says] of COMMANDS)
      expect(await run(command, project), command).toContain(says);
    const server = await startNodeServer({
      node,
      entry: join(project, "dist/node/server.mjs"),
      cwd: project,
    });
    onTestFinished(async () => void (await server.stop()));
    const answer = await server.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: FLOWER }),
    });
    expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
  },
  600_000,
);
