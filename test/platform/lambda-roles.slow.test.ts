import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { expect, onTestFinished, test } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

interface Resource {
  Type: string;
  Properties: {
    Role?: { "Fn::GetAtt": string[] };
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
  };
}

/** What osls makes of serverless.yml for CloudFormation. */
async function resources(): Promise<Record<string, Resource>> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-roles-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(root, "serverless.yml"), join(folder, "serverless.yml"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await mkdir(join(folder, "dist/lambda"), { recursive: true });
  await writeFile(join(folder, "dist/lambda/x64.zip"), zipSync({ "index.js": new Uint8Array(1) }));
  const env = { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  await promisify(execFile)("node_modules/.bin/osls", ["package"], { cwd: folder, env });
  const path = join(folder, ".serverless/cloudformation-template-update-stack.json");
  return (JSON.parse(await readFile(path, "utf8")) as { Resources: Record<string, Resource> })
    .Resources;
}

test("only the function that watches rollouts may write releases, and nothing else", async () => {
  const all = await resources();
  const role = (name: string) => all[name]?.Properties.Role?.["Fn::GetAtt"][0] ?? "";
  const allowed = (name: string) =>
    (all[name]?.Properties.Policies ?? []).flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
        [Action].flat().map((action) => [action, JSON.stringify(Resource)] as const),
      ),
    );
  const predict = allowed(role("PredictLambdaFunction"));
  const watch = allowed(role("WatchLambdaFunction"));
  const actions = (policy: typeof watch) => policy.map(([action]) => action).toSorted();
  expect(actions(predict)).toContain("s3:GetObject");
  for (const [action, resource] of predict)
    if (action === "s3:PutObject" || action === "s3:DeleteObject")
      expect(resource).toContain('"/.captured/*"');
  expect(actions(watch)).toEqual([
    "dynamodb:GetItem",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
  ]);
  for (const [action, resource] of watch) {
    if (action.endsWith("Object")) expect(resource).toContain("/*/release.json");
    expect(resource, action).not.toBe('"*"');
  }
});
