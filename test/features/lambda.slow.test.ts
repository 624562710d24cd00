import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startLambda } from "../../cli/local/lambda.ts";
import { filesOfModels } from "../../cli/local/models.ts";
import { startS3 } from "../../cli/local/s3-server.ts";
import { nearcast } from "../cli/nearcast.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { churnFolder, openChurn, type Answer } from "./service.ts";

const CREDENTIALS = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
};

test("the Lambda package looks up in DynamoDB what the command loaded there", async () => {
  const models = await churnFolder({ cacheSeconds: 0, timeoutMs: 1000 });
  const s3 = await startS3({ buckets: ["models"] });
  const table = await startDynamoDb("features");
  onTestFinished(async () => {
    await s3.close();
    await table.stop();
  });
  for (const key of await filesOfModels(models))
    s3.put("models", key, await readFile(join(models, key)));

  const to = "customers=dynamodb://features";
  const env = { ...CREDENTIALS, AWS_ENDPOINT_URL_DYNAMODB: table.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "" }; // oxfmt-ignore
  const path = join(await mkdtemp(join(tmpdir(), "nearcast-tables-")), "customers.csv");
  await writeFile(
    path,
    "customer_id,age,member,city,event_timestamp\n" +
      `42,30,true,Oslo,${new Date(Date.now() - 60_000).toISOString()}\n`,
  );
  const load = ["features", "load", path, "--for", "churn", "--models", models, "--to", to];
  expect(await nearcast(load, { env })).toMatchObject({ code: 0, stderr: "" });

  const lambda = await startLambda({
    directory: lambdaDirectory,
    handler: "index.handler",
    freeze: true,
    env: {
      ...env,
      STORE: "s3://models",
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AUTH: "none",
      FEATURE_SOURCES: to,
    },
  });
  onTestFinished(lambda.stop);
  const ask = async (inputs: unknown) => {
    const response = await lambda.fetch("/v1/models/churn/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    return { status: response.status, ...((await response.json()) as Partial<Answer>) };
  };

  const { whole } = openChurn(models);
  const before = table.asked().length;
  const answer = await ask({ customer_id: 42, income: 1 });
  expect(answer).toMatchObject({
    status: 200,
    outputs: await whole({ age: 30, member: true, city: "Oslo", income: 1 }),
    features: { age: { status: "found", ageSeconds: expect.closeTo(60, -2) as number } },
  });
  await ask([{ customer_id: 42, income: 1 }, { customer_id: 42, income: 2 }]); // oxfmt-ignore
  expect(table.asked().slice(before)).toEqual(["BatchGetItem", "BatchGetItem"]);
  expect(await ask({ customer_id: 7, income: 1 })).toMatchObject({
    status: 422,
    detail: expect.stringContaining("is not known to customers") as string,
  });

  await table.takeDown();
  const down = await ask({ customer_id: 42, income: 1 });
  expect(["features_unavailable", "features_late"]).toContain(down.code);
  const sent = { age: 30, member: true, city: "Oslo", income: 1 };
  expect((await ask(sent)).status).toBe(200);
  await table.bringBack();
  expect(await nearcast(load, { env })).toMatchObject({ code: 0 });
  expect((await ask({ customer_id: 42, income: 1 })).status).toBe(200);
});
