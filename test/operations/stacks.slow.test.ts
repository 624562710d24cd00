import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ALL_OPTIONS, packageStacks, STACKS } from "../../infra/package-stacks.ts";

interface Resource {
  Type: string;
  Condition?: string;
  DeletionPolicy?: string;
  Properties: Record<string, unknown>;
}

interface Template {
  Parameters: Record<string, { Default: string | number }>;
  Conditions: Record<string, object>;
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown }>;
}

let stacks: Map<string, Template>;
beforeAll(async () => {
  const made = await packageStacks(join(import.meta.dirname, "../.."));
  stacks = new Map([...made].map(([name, text]) => [name, JSON.parse(text) as Template]));
}, 120_000);

const stack = (name: string): Template => stacks.get(name) as Template;
const properties = (name: string, resource: string) => stack(name).Resources[resource]?.Properties;

/** What CloudFormation makes of a condition or an `Fn::If`, with the parameters' defaults. */
function evaluate(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => evaluate(template, part));
  if (typeof value !== "object" || value === null) return value;
  const [[name, operand] = []] = Object.entries(value) as [string, unknown][];
  const operands = (): unknown[] => (operand as unknown[]).map((one) => evaluate(template, one));
  const holds = (condition: unknown) =>
    evaluate(template, template.Conditions[String(condition)]) === true;
  if (name === "Ref") return template.Parameters[String(operand)]?.Default ?? value;
  if (name === "Condition") return holds(operand);
  if (name === "Fn::Not") return operands()[0] !== true;
  if (name === "Fn::And") return operands().every((one) => one === true);
  if (name === "Fn::Or") return operands().some((one) => one === true);
  if (name === "Fn::Equals") return String(operands()[0]) === String(operands()[1]);
  if (name !== "Fn::If") return value;
  const [condition, then, otherwise] = operand as unknown[];
  return evaluate(template, holds(condition) ? then : otherwise);
}

/** The resources that have a condition, as long as it holds. */
function optional(name: string): string[] {
  const template = stack(name);
  return Object.entries(template.Resources)
    .filter(([, { Condition }]) => Condition && evaluate(template, { Condition }) === true)
    .map(([id]) => id)
    .toSorted();
}

const ALARMS = [
  "DailyCost",
  "DeadJobsWait",
  "JobsGivenUp",
  "JobsWait",
  "PredictFails",
  "PredictSlow",
  "PredictThrottled",
  "WatchFails",
];

test("what costs money by itself is off unless it is asked for", () => {
  expect(optional("dev")).toEqual(["AlarmsTopic", ...ALARMS].toSorted());
  for (const name of ["staging", "production"])
    expect(optional(name)).toEqual(["AlarmsTopic", "Overview", ...ALARMS].toSorted());
  // Ten alarms and three dashboards are free.
  expect(ALARMS.length).toBeLessThanOrEqual(10);
});

test("each option asks for what it says, and all together for everything", () => {
  const { Resources, Parameters } = stack("everything");
  const conditional = Object.keys(Resources).filter((id) => Resources[id]?.Condition);
  // What calls the function itself, in place of its provisioned environments.
  const all = conditional.filter((id) => id !== "GuardedDeployment");
  expect(optional("everything")).toEqual(all.toSorted());
  for (const [option, value] of Object.entries(ALL_OPTIONS)) {
    const name = option.charAt(0).toUpperCase() + option.slice(1);
    if (Parameters[name]) expect(String(Parameters[name].Default), option).toBe(value);
  }
  const ofPredict = properties("everything", "PredictLambdaFunction");
  expect(evaluate(stack("everything"), ofPredict?.["ReservedConcurrentExecutions"])).toBe("20");
  expect(properties("everything", "PredictProvConcLambdaAlias")).toMatchObject({
    ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
  });
  expect(properties("dev", "PredictProvConcLambdaAlias")).toBeUndefined();
});

test("the firewall's API is deployed anew when the function that it calls changes", () => {
  const template = stack("everything");
  const without = {
    ...template,
    Parameters: { ...template.Parameters, ProvisionedConcurrency: { Default: 0 } },
  };
  const { Resources } = template;
  expect(Resources["GuardedStage"]).toHaveProperty("DependsOn", ["GuardedPermission"]);
  for (const [one, deployment, other, end] of [
    [template, "GuardedProvisionedDeployment", "GuardedDeployment", ":provisioned"],
    [without, "GuardedDeployment", "GuardedProvisionedDeployment", ""],
  ] as const) {
    const { DeploymentId } = Resources["GuardedStage"]!.Properties;
    expect(evaluate(one, DeploymentId)).toEqual({ Ref: deployment });
    const isThere = (id: string) => evaluate(one, { Condition: Resources[id]!.Condition });
    expect([isThere(deployment), isThere(other)]).toEqual([true, false]);
    const { FunctionName } = Resources["GuardedPermission"]!.Properties as {
      FunctionName: { "Fn::Join": [string, unknown[]] };
    };
    expect(evaluate(one, FunctionName["Fn::Join"][1].at(-1))).toBe(end);
  }
});

test("a day without jobs has a cost too", () => {
  const { Metrics } = properties("dev", "DailyCost") as {
    Metrics: { Id: string; Expression?: string }[];
  };
  const expression = Metrics.find(({ Id }) => Id === "cost")?.Expression ?? "";
  for (const { Id } of Metrics.filter((one) => one.Id !== "cost"))
    expect(expression).toContain(`FILL(${Id}, 0)`);
});

test("regions of a stage share no name of the account", () => {
  const { Resources } = stack("everything");
  const { Budget } = Resources["Budget"]!.Properties as { Budget: { BudgetName: unknown } };
  const names = [Budget.BudgetName, Resources["Overview"]!.Properties["DashboardName"]];
  for (const name of names)
    expect(name).toEqual({ "Fn::Sub": expect.stringContaining("${AWS::Region}") });
});

function keysOf(name: string): unknown {
  const { Environment } = properties(name, "PredictLambdaFunction") as {
    Environment: { Variables: Record<string, unknown> };
  };
  return Environment.Variables["API_KEYS"];
}

test("a stage of a pull request leaves nothing behind and wakes nobody up", () => {
  expect(optional("preview")).toEqual([]);
  const { Models } = stack("preview").Resources;
  expect(Models?.DeletionPolicy).toBe("Delete");
  // A bucket with versions cannot be emptied by removing its objects.
  expect(Models?.Properties["VersioningConfiguration"]).toEqual({ Status: "Suspended" });
  expect(keysOf("preview")).toBe("ssm:/nearcast/preview/api-keys");
  expect(keysOf("staging")).toBe("ssm:/nearcast/staging/api-keys");
  for (const name of ["dev", "staging", "production", "everything"])
    expect(stack(name).Resources["Models"]?.DeletionPolicy, name).toBe("Retain");
});

describe.each(Object.keys(STACKS))("%s", (name) => {
  test("its bucket is encrypted, closed to the public, and speaks TLS alone", () => {
    const models = properties(name, "Models") ?? {};
    const { ServerSideEncryptionConfiguration } = models["BucketEncryption"] as {
      ServerSideEncryptionConfiguration: {
        ServerSideEncryptionByDefault: { SSEAlgorithm: unknown };
      }[];
    };
    const [rule] = ServerSideEncryptionConfiguration;
    const algorithm = rule?.ServerSideEncryptionByDefault.SSEAlgorithm;
    expect(evaluate(stack(name), algorithm)).toBe(name === "everything" ? "aws:kms" : "AES256");
    expect(Object.values(models["PublicAccessBlockConfiguration"] as object)).toEqual(
      Array(4).fill(true),
    );
    expect(properties(name, "ModelsPolicy")).toMatchObject({
      PolicyDocument: {
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      },
    });
    expect(models["LifecycleConfiguration"]).toMatchObject({
      Rules: [
        { Id: "old-versions", NoncurrentVersionExpiration: { NoncurrentDays: 90 } },
        { Id: "unfinished-uploads", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
        { Prefix: ".captured/", NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
        {
          Prefix: ".batches/",
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        },
        {
          Prefix: ".jobs/",
          ExpirationInDays: 2,
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        },
      ],
    });
  });

  test("each log ends some day", () => {
    const days = { dev: 30, staging: 30, production: 90, preview: 30, everything: 365 }[name];
    for (const [id, { Type, Properties }] of Object.entries(stack(name).Resources))
      if (Type === "AWS::Logs::LogGroup")
        expect(Number(Properties["RetentionInDays"]), id).toBe(days);
  });

  test("no statement of a role is for everything", () => {
    for (const [id, { Properties }] of Object.entries(stack(name).Resources)) {
      const { Policies = [], PolicyDocument } = Properties as {
        Policies?: { PolicyDocument: { Statement: Statement[] } }[];
        PolicyDocument?: { Statement: Statement[] };
      };
      const documents = [...Policies.map((one) => one.PolicyDocument), PolicyDocument];
      for (const { Effect, Action, Resource } of documents.flatMap((one) => one?.Statement ?? []))
        if (Effect === "Allow") {
          expect([Resource].flat(), id).not.toContain("*");
          for (const action of [Action].flat()) expect(action, id).not.toContain("*");
        }
    }
  });
});

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

test("alarms go to the topic of the stack, or to the one that is given", () => {
  const template = stack("dev");
  for (const name of ALARMS) {
    const actions = template.Resources[name]?.Properties["AlarmActions"];
    expect(evaluate(template, actions), name).toEqual([{ Ref: "AlarmsTopic" }]);
    const AlarmTopic = { Default: "arn:aws:sns:us-east-1:123456789012:mine" };
    const given = { ...template, Parameters: { ...template.Parameters, AlarmTopic } };
    expect(evaluate(given, actions), name).toEqual([AlarmTopic.Default]);
  }
});

test("with a domain or a firewall, nobody comes in by the API's own address", () => {
  const open = (name: string) =>
    evaluate(stack(name), properties(name, "HttpApi")?.["DisableExecuteApiEndpoint"]) === false;
  const url = (name: string) => evaluate(stack(name), stack(name).Outputs["ServiceUrl"]?.Value);
  expect(open("production")).toBe(true);
  expect(url("production")).toEqual({ "Fn::GetAtt": ["HttpApi", "ApiEndpoint"] });
  expect(open("everything")).toBe(false);
  expect(url("everything")).toEqual({ "Fn::Sub": "https://${DomainName}" });
  const template = stack("everything");
  const mapped = properties("everything", "DomainMapping")?.["ApiId"];
  expect(evaluate(template, mapped)).toEqual({ Ref: "GuardedApi" });
  const { Parameters } = template;
  const alone = { ...template, Parameters: { ...Parameters, DomainName: { Default: "" } } };
  expect(evaluate(alone, properties("everything", "HttpApi")?.["DisableExecuteApiEndpoint"])).toBe(
    true,
  );
  expect(evaluate(alone, template.Outputs["ServiceUrl"]?.Value)).toEqual({
    "Fn::Sub": "https://${GuardedApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live",
  });
});
