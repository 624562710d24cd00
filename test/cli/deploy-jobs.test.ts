import { expect, test } from "vitest";
import { checkJobs } from "../../cli/deploy/lambda-jobs.ts";
import type { Findings } from "../../cli/deploy/findings.ts";

/** The times that serverless.yml has. */
const USUAL = { timeout: 120, visibility: 720, days: 2, environment: {} };

function problemsWith(times: Partial<typeof USUAL & { environment: Record<string, string> }>) {
  const { timeout, visibility, days, environment } = { ...USUAL, ...times };
  const findings: Findings = { problems: [], notes: [] };
  const rules = [{ Prefix: ".captured/" }, { Prefix: ".jobs/", ExpirationInDays: days }];
  checkJobs(
    {
      provider: { environment: { JOBS_QUEUE_URL: { Ref: "Jobs" }, ...environment } },
      functions: { predict: { timeout: 29 }, jobs: { timeout } },
      resources: {
        Resources: {
          Jobs: { Properties: { VisibilityTimeout: visibility } },
          Models: { Properties: { LifecycleConfiguration: { Rules: rules } } },
        },
      },
    },
    findings,
  );
  return findings.problems.map(({ what, fix }) => `${what} ${fix}`);
}

test("times of jobs that do not fit each other stop a deployment to Lambda", () => {
  expect(problemsWith({})).toEqual([]);
  expect(problemsWith({ environment: { JOB_TIMEOUT_MS: "300000" } })).toEqual([
    expect.stringMatching(/300 seconds, .* after 120: .* timeout: 320/),
  ]);
  expect(problemsWith({ timeout: 320 })).toEqual([expect.stringMatching(/720 .*: 1920, six/)]);
  expect(problemsWith({ environment: { JOB_RESULT_TTL: "604800" } })).toEqual([
    expect.stringMatching(/2 days, .* 604800 seconds.* ExpirationInDays: 8/),
  ]);
  expect(problemsWith({ timeout: 5, environment: { JOBS_QUEUE_URL: "" } })).toEqual([]);
});
