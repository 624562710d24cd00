import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { deployStack, stackOf } from "../../cli/deploy/lambda-stack.ts";
import { findStack } from "../../cli/deploy/lambda.ts";
import type { Findings } from "../../cli/deploy/findings.ts";
import { removeLambda } from "../../cli/deploy/preview.ts";
import { projectWith } from "./stand-in.ts";

afterEach(() => void vi.unstubAllEnvs());

const INFO = `service: nearcast
stage: production
region: eu-west-1
stack: nearcast-production

Stack Outputs:
  ServiceUrl: https://models.example.com
  HttpApiUrl: https://abc.execute-api.eu-west-1.amazonaws.com
  ModelsBucket: nearcast-models`;

test("the stack's own address is asked, and not the one that a domain replaces", async () => {
  await projectWith("osls", { info: { says: INFO } });
  expect(await stackOf([])).toEqual({
    name: "nearcast-production",
    region: "eu-west-1",
    bucket: "nearcast-models",
    url: "https://models.example.com",
  });
});

/** A stand-in for CloudFormation, whose one stack runs this package. Gives what it was asked. */
async function runs(S3Key: string): Promise<string[]> {
  const asked: string[] = [];
  const template = JSON.stringify({ Resources: { Predict: { Properties: { Code: { S3Key } } } } });
  const answer = `<GetTemplateResponse><GetTemplateResult><TemplateBody>${template.replaceAll('"', "&quot;")}</TemplateBody></GetTemplateResult></GetTemplateResponse>`;
  const server = createServer((request, response) => {
    void (async () => {
      asked.push(await text(request));
      response.setHeader("Content-Type", "text/xml");
      response.end(answer);
    })();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  return asked;
}

test("the way back leads to what ran before, and not to what was deployed last", async () => {
  const { calls } = await projectWith("osls", {
    info: { says: INFO },
    // This one failed, and was gone back from.
    "deploy list": { says: "Timestamp: 1800000000000" },
  });
  const asked = await runs(
    "serverless/nearcast/production/1700000000000-2023-11-14T22:13:20.000Z/x64.zip",
  );
  const { goBack } = await deployStack(["--stage", "production"]);
  expect(asked).toEqual([expect.stringContaining("StackName=nearcast-production")]);
  await goBack?.();
  // Without --force osls takes the package that failed for deployed.
  expect((await calls()).filter((call) => !call.startsWith("info"))).toEqual([
    "deploy --force --stage production",
    "rollback --timestamp 1700000000000 --stage production",
  ]);
});

test("keys and buckets are looked for where serverless.yml says", async () => {
  vi.stubEnv("AWS_REGION", "us-east-1");
  await projectWith("osls", {
    print: { says: '{ "provider": { "region": "eu-west-1" } }' },
    info: { fails: "Stack with id nearcast-pr-12 does not exist" },
  });
  await removeLambda({ name: "pr-12", others: [] });
  expect(process.env["AWS_REGION"]).toBe("eu-west-1");
});

test("a stack that cannot be asked for is not taken for one that is not there", async () => {
  const { calls } = await projectWith("osls", { info: { fails: "Rate exceeded" } });
  await expect(deployStack([])).rejects.toThrow("Rate exceeded");
  expect(await calls()).toEqual(["info --verbose"]);
  const findings: Findings = { problems: [], notes: [] };
  expect(await findStack([], findings)).toBeUndefined();
  expect(findings.problems[0]?.what).toBe("Whether there is a stack is not known: Rate exceeded");
});

test("before the first deployment there is nothing", async () => {
  await projectWith("osls", { info: { fails: "Stack with id nearcast-dev does not exist" } });
  expect(await stackOf([])).toEqual({});
});
