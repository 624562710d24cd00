import { LAMBDA_NODE } from "../build/lambda.ts";
import { checkJobs } from "../deploy/lambda-jobs.ts";
import type { Service } from "../deploy/lambda.ts";
import { findingsAt, type Finding } from "./finding.ts";
import { fromDeploy } from "./worker.ts";

/** Node, ONNX Runtime and the requests at hand. */
const BESIDE_MB = 400;

/** What serverless.yml says beside variables. `isWatched`: models are on trial or keep inputs. */
export function checkStack(
  service: Service,
  { where, isWatched, budgetMb }: { where: string; isWatched: boolean; budgetMb: number },
): Finding[] {
  const { wrong, unwise } = findingsAt(where);
  const findings: Finding[] = [];
  const { provider, functions = {}, resources = {} } = service;
  const runtime = `nodejs${LAMBDA_NODE}.x`;
  if (provider.runtime !== runtime)
    findings.push(
      wrong(
        `The runtime is ${provider.runtime ?? "not set"}; the package is made for ${runtime}.`,
        `Write runtime: ${runtime} under provider.`,
      ),
    );
  const { memorySize = 1024, environment = {} } = provider;
  if (budgetMb + BESIDE_MB > memorySize)
    findings.push(
      wrong(
        `memorySize is ${memorySize}, and sessions may take ${budgetMb} MB beside some ${BESIDE_MB} of the process: Lambda would end it.`,
        `Write memorySize: ${budgetMb + BESIDE_MB} or more, or set a smaller SESSION_BUDGET_MB.`,
      ),
    );
  const hasRate = environment["RATE_LIMIT"] || environment["MODEL_RATE_LIMIT"];
  if (hasRate && !environment["RATE_LIMIT_TABLE"] && !environment["REDIS_URL"])
    findings.push(
      wrong(
        "A rate needs RATE_LIMIT_TABLE or REDIS_URL: the function does not start without.",
        "Set RATE_LIMIT_TABLE, as the serverless.yml of a new project does.",
      ),
    );
  const events = Object.values(functions).flatMap((one) => one.events ?? []);
  if (!events.some((event) => "schedule" in event))
    findings.push(
      (isWatched ? wrong : unwise)(
        "No function has a schedule: nobody looks at versions on trial, nor removes captured inputs after their time.",
        "Add the function watch of a new project's serverless.yml.",
      ),
    );
  const queues = Object.values(resources.Resources ?? {}).filter(
    ({ Type }) => Type === "AWS::SQS::Queue",
  );
  if (environment["JOBS_QUEUE_URL"] && queues.length > 0)
    if (!queues.some(({ Properties }) => Properties?.RedrivePolicy))
      findings.push(
        wrong(
          "No queue has a dead-letter queue: a job that ends its process runs again and again.",
          "Add RedrivePolicy, as infra/aws/jobs.yml of a new project has it.",
        ),
      );
  return [
    ...findings,
    ...checkOptions(resources.Parameters ?? {}, where),
    ...fromDeploy(where, (all) => checkJobs(service, all)),
  ];
}

/** Options of the stack that mean nothing without another one. */
function checkOptions(parameters: Record<string, { Default?: unknown }>, where: string): Finding[] {
  const { wrong, unwise } = findingsAt(where);
  const given = (name: string) => (parameters[name]?.Default ?? "") !== "";
  const findings: Finding[] = [];
  if (given("DomainName") && !given("CertificateArn"))
    findings.push(
      wrong("domainName needs certificateArn.", "Make a certificate in Certificate Manager there."),
    );
  if (given("MonthlyBudget") && !given("AlarmEmail"))
    findings.push(
      wrong("monthlyBudget is told to nobody: alarmEmail is empty.", "Give alarmEmail an address."),
    );
  if (parameters["Alarms"]?.Default === "on" && !given("AlarmEmail") && !given("AlarmTopic"))
    findings.push(
      unwise("Alarms are told to nobody.", "Give alarmEmail an address, or alarmTopic an ARN."),
    );
  return findings;
}
