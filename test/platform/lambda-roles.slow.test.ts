import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { JOB_TIMEOUT_MS } from "../../functions/platform/lambda.ts";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { startLambda } from "../../cli/local/lambda.ts";
import { filesOfModels } from "../../cli/local/models.ts";
import { startS3 } from "../../cli/local/s3-server.ts";
import { dayOf } from "../../functions/observe/capture/captured.ts";
import { packageStacks } from "../../infra/package-stacks.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { eventOf } from "../../cli/local/event-source.ts";
import { startSqs } from "../../cli/local/sqs-server.ts";
import { createLoad, onTrial } from "../rollout/watched.ts";

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
  } & Record<string, unknown>;
}

/** What a role may do: actions, each with what it may be done to. */
type Policy = (readonly [action: string, resource: string])[];

const actionsOf = (asked: readonly (readonly [action: string, ...rest: unknown[]])[]) =>
  [...new Set(asked.map(([action]) => action))].toSorted();

const ofQueues = (policy: Policy) => policy.filter(([action]) => action.startsWith("sqs:"));

let all: Record<string, Resource>;
const properties = (name: string) => all[name]?.Properties ?? {};
let predict: Policy;
let watch: Policy;
let jobs: Policy;
beforeAll(async () => {
  const stacks = await packageStacks(root, ["dev"]);
  all = (JSON.parse(stacks.get("dev") ?? "") as { Resources: Record<string, Resource> }).Resources;
  const allowed = (name: string) => {
    const role = all[name]?.Properties.Role?.["Fn::GetAtt"][0] ?? "";
    return (all[role]?.Properties.Policies ?? []).flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
        [Action]
          .flat()
          .flatMap((action) =>
            [Resource].flat().map((resource) => [action, JSON.stringify(resource)] as const),
          ),
      ),
    );
  };
  predict = allowed("PredictLambdaFunction");
  watch = allowed("WatchLambdaFunction");
  jobs = allowed("JobsLambdaFunction");
});

test("only the function that watches rollouts may write releases, and nothing else", () => {
  expect(actionsOf(predict)).toContain("s3:GetObject");
  for (const [action, resource] of [...predict, ...jobs])
    if (action === "s3:PutObject" || action === "s3:DeleteObject")
      expect(resource).toMatch(/"\/\.(captured|jobs|batches)\/\*"/);
  expect(actionsOf(watch)).toEqual([
    "dynamodb:GetItem",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "ssm:GetParameter",
  ]);
  for (const [action, resource] of watch) {
    if (action === "ssm:GetParameter") expect(resource).toContain("/webhook-secret");
    if (action === "s3:DeleteObject") expect(resource).toContain('"/.captured/*"');
    else if (action.endsWith("Object")) expect(resource).toContain("/*/release.json");
    expect(resource, action).not.toBe('"*"');
  }
});

test("requests may only send to the queue of jobs, and jobs run in a function of their own", () => {
  expect(ofQueues(predict)).toEqual([["sqs:SendMessage", '{"Fn::GetAtt":["Jobs","Arn"]}']]);
  expect(ofQueues(watch)).toEqual([]);
  const [queue, dead] = ["Jobs", "DeadJobs"].map((name) => `{"Fn::GetAtt":["${name}","Arn"]}`);
  const taking = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"];
  const both = [...taking, "GetQueueAttributes"].flatMap((action) => [
    [`sqs:${action}`, queue],
    [`sqs:${action}`, dead],
  ]);
  expect(ofQueues(jobs)).toEqual([...both, ["sqs:SendMessage", queue]]);
  for (const [name, queue] of [
    ["JobsSource", "Jobs"],
    ["DeadJobsSource", "DeadJobs"],
  ] as const)
    expect(properties(name)).toMatchObject({
      EventSourceArn: { "Fn::GetAtt": [queue, "Arn"] },
      FunctionName: { "Fn::GetAtt": ["JobsLambdaFunction", "Arn"] },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: expect.any(Number) as number },
    });
  const { Timeout } = properties("JobsLambdaFunction") as { Timeout: number };
  expect(Timeout * 1000).toBeGreaterThan(JOB_TIMEOUT_MS + 10_000);
  expect(properties("Jobs")).toMatchObject({
    VisibilityTimeout: 6 * Timeout,
    RedrivePolicy: {
      deadLetterTargetArn: { "Fn::GetAtt": ["DeadJobs", "Arn"] },
      maxReceiveCount: 5,
    },
  });
});

/** Whether a policy of the packaged stack allows the action, for an object's key where it has one. */
function allows(policy: Policy, action: string, key?: string): boolean {
  return policy.some(([allowed, resource]) => {
    if (allowed !== action) return false;
    if (key === undefined) return true;
    const [, pattern = ""] = /"(\/[^"]*)"\]\]\}$/.exec(resource) ?? [];
    const parts = pattern.split("*").map((part) => part.replaceAll(/[.?+^$()[\]{}|\\]/g, "\\$&"));
    return pattern !== "" && new RegExp(`^${parts.join(".*")}$`).test(`/${key}`);
  });
}

/** What the policy allows and nobody asked for: the action, with the keys of objects where it has some. */
function unused(policy: Policy, asked: readonly (readonly [action: string, key?: string])[]) {
  return policy
    .filter((one) => !asked.some(([action, key]) => allows([one], action, key)))
    .map(([action, resource]) =>
      `${action} ${/"(\/[^"]*)"\]\]\}$/.exec(resource)?.[1] ?? ""}`.trim(),
    );
}

const S3_ACTIONS: Record<string, string> = {
  GET: "s3:GetObject",
  HEAD: "s3:GetObject",
  PUT: "s3:PutObject",
  DELETE: "s3:DeleteObject",
};

test("the roles of the packaged stack allow what the functions ask of S3, SQS and DynamoDB", async () => {
  const models = await onTrial({ version: "bad", percent: 50 });
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const kept = {
    feedback: { keptSeconds: 600 },
    capture: { rate: 1, redact: [], retentionDays: 1 },
  };
  await writeFile(path, JSON.stringify({ ...manifest, ...kept }));
  await writeFile(join(models, "iris/release.json"), JSON.stringify({ stable: "1" }));
  const s3 = await startS3({ buckets: ["models"] });
  const table = await startDynamoDb("rates");
  const sqs = await startSqs();
  for (const key of await filesOfModels(models))
    s3.put("models", key, await readFile(join(models, key)));
  const day = dayOf(Date.now());
  s3.put("models", `.captured/iris/${day}/2026-01-01-abc-1.jsonl`, "");
  s3.put("models", `.captured/idle/${day}/2026-01-01-abc-1.jsonl`, "");
  s3.put("models", `.captured/.due/${day}/idle`, "");
  const lambda = async () => {
    const started = await startLambda({
      directory: lambdaDirectory,
      handler: "index.handler",
      freeze: true,
      env: {
        ...table.env,
        ...sqs.env,
        STORE: "s3://models",
        S3_ENDPOINT: s3.endpoint,
        S3_FORCE_PATH_STYLE: "true",
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AUTH: "none",
        RATE_LIMIT: "100000/60s",
        MODEL_RATE_LIMIT: "100000/60s",
        RELEASE_TTL_SECONDS: "0",
      },
    });
    onTestFinished(started.stop);
    return started;
  };
  onTestFinished(async () => {
    await s3.close();
    await table.stop();
    await sqs.close();
  });

  /** What is asked of AWS during the work: actions, each with its object where there is one. */
  async function askedDuring(work: () => Promise<void>): Promise<[action: string, key?: string][]> {
    const before = [s3.requests.length, table.asked().length, sqs.actions.length] as const;
    await work();
    const objects = s3.requests
      .slice(before[0])
      .map(({ method, key }): [string, string?] =>
        key === "" ? ["s3:ListBucket"] : [S3_ACTIONS[method] ?? method, key],
      );
    const items = table
      .asked()
      .slice(before[1])
      .map((action): [string] => [`dynamodb:${action}`]);
    const messages = sqs.actions.slice(before[2]).map((action): [string] => [`sqs:${action}`]);
    return [...objects, ...items, ...messages];
  }
  const predicting = await lambda();
  const answering = await askedDuring(async () => {
    const post = async (path: string, body: object, more: Record<string, string> = {}) => {
      const headers = { "Content-Type": "application/json", "X-Request-Id": "one", ...more };
      const init = { method: "POST", headers, body: JSON.stringify(body) };
      return (await predicting.fetch(path, init)).status;
    };
    expect(await post("/v1/models/iris/predict", { inputs: [5.1, 3.5, 1.4, 0.2] })).toBe(200);
    for (const id of ["kept", "removed"]) {
      const later = { Prefer: "respond-async", "Idempotency-Key": id };
      const inputs = { inputs: [5.1, 3.5, 1.4, 0.2] };
      expect(await post("/v1/models/iris/predict", inputs, later)).toBe(202);
    }
    expect((await predicting.fetch("/v1/jobs/removed", { method: "DELETE" })).status).toBe(200);
    expect(await post("/v1/models/nobody/predict", { inputs: [1] })).toBe(404);
    expect(await post("/v1/feedback", { request_id: "one", outcome: "setosa" })).toBe(200);
    expect(await post("/v1/feedback/forget", { keys: ["0".repeat(64)] })).toBe(200);
    for (const path of ["/v1/models", "/v1/models/iris/accuracy", "/v1/models/table/rollout"])
      expect((await predicting.fetch(path)).status).toBe(200);
    await createLoad(predicting.fetch)(300);
  });
  expect(actionsOf(answering)).toEqual([
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sqs:SendMessage",
  ]);
  for (const [action, key] of answering)
    expect(allows(predict, action, key), `${action} ${key}`).toBe(true);

  const looking = await lambda();
  const watching = await askedDuring(async () => {
    const event = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
    expect(await looking.invoke(event)).not.toHaveProperty("error");
  });
  expect(actionsOf(watching)).toEqual([
    "dynamodb:GetItem",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
  ]);
  for (const [action, key] of watching)
    expect(allows(watch, action, key), `${action} ${key}`).toBe(true);

  const running = await lambda();
  const working = await askedDuring(async () => {
    const [Body = ""] = sqs.queues.bodies("jobs");
    const handOut = async (queue: string) => {
      const message = { MessageId: "one", Body, ReceiptHandle: "one" };
      const Attributes = { ApproximateReceiveCount: "1" };
      return (await running.invoke(eventOf(sqs.url(queue), [{ ...message, Attributes }]))).payload;
    };
    s3.behaviourFor = (key) => (key.includes("/answer-") ? "down" : undefined);
    expect(await handOut("jobs")).toEqual({ batchItemFailures: [] });
    expect(await handOut("dead-jobs")).toEqual({ batchItemFailures: [{ itemIdentifier: "one" }] });
    s3.behaviourFor = undefined;
    expect(await handOut("jobs")).toEqual({ batchItemFailures: [] });
    expect((await predicting.fetch("/v1/jobs/kept/result")).status).toBe(200);
  });
  expect(actionsOf(working)).toEqual([
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sqs:ChangeMessageVisibility",
    "sqs:SendMessage",
  ]);
  for (const [action, key] of working)
    expect(allows(jobs, action, key), `${action} ${key}`).toBe(true);
  expect(allows(jobs, "s3:PutObject", "iris/release.json")).toBe(false);

  // Nothing else is allowed but what these tests have no part in: the keys of callers and the secret of webhooks
  // (test/auth/parameter.slow.test.ts), the secret of edge and region (test/spillover/spillover.test.ts), outputs of batches (test/batches/lambda.slow.test.ts), captured inputs that expired
  // (test/capture/writer.test.ts), sums of drift (test/drift/messages.slow.test.ts), and what Lambda itself does with the
  // role: it writes the log, and takes messages from the queues.
  const secret = "ssm:GetParameter";
  const log = ["logs:CreateLogStream", "logs:PutLogEvents"];
  const osls = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource", log[1]];
  const abort = "s3:AbortMultipartUpload /.batches/*";
  const taking = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
  expect(unused(predict, answering)).toEqual([...osls, secret, secret, secret, abort]);
  expect(unused(watch, watching)).toEqual([secret, ...log]);
  expect(unused(jobs, working)).toEqual([
    "s3:DeleteObject /.captured/*",
    "s3:PutObject /.batches/*",
    abort,
    ...taking.flatMap((action) => [action, action]),
    secret,
    secret,
    "dynamodb:GetItem",
    ...log,
  ]);

  // The keys of callers are a parameter, which is not asked for here.
  expect(allows(predict, "ssm:GetParameter")).toBe(true);
  expect(allows(predict, "s3:PutObject", "iris/release.json")).toBe(false);
  expect(allows(watch, "s3:GetObject", ".captured/iris/x.jsonl")).toBe(false);
});
