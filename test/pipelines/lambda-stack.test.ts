import { expect, test } from "vitest";
import { deployStack, stackOf } from "../../cli/deploy/lambda-stack.ts";
import { findStack } from "../../cli/deploy/lambda.ts";
import type { Findings } from "../../cli/deploy/findings.ts";
import { projectWith } from "./stand-in.ts";

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
    bucket: "nearcast-models",
    url: "https://models.example.com",
  });
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
  expect(await stackOf([])).toEqual({ bucket: undefined, url: undefined });
});
