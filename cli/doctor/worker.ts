import type { Findings } from "../deploy/findings.ts";
import { checkQueues } from "../deploy/queues.ts";
import type { WorkerConfiguration } from "../wrangler.ts";
import { findingsAt, type Finding } from "./finding.ts";

const YEAR_MS = 365 * 86_400_000;

/** What wrangler's configuration says beside variables. `isWatched`: models are on trial or keep inputs. */
export function checkWorker(
  worker: Pick<WorkerConfiguration, "compatibilityDate" | "crons" | "queues" | "rates" | "vars">,
  { where, isWatched, now }: { where: string; isWatched: boolean; now: number },
): Finding[] {
  const { wrong, unwise } = findingsAt(where);
  const findings: Finding[] = [];
  const date = Date.parse(worker.compatibilityDate ?? "");
  if (!(now - date < YEAR_MS))
    findings.push(
      unwise(
        `compatibility_date is ${worker.compatibilityDate ?? "not set"}: fixes of workerd since then are off.`,
        "Write the date of today, and run the tests with nearcast dev --edge.",
      ),
    );
  if (worker.crons.length === 0)
    findings.push(
      (isWatched ? wrong : unwise)(
        "No cron trigger: captured inputs of models that nobody asks stay after their time.",
        'Write [triggers] crons = ["17 * * * *"].',
      ),
    );
  for (const name of ["RATE_LIMIT", "MODEL_RATE_LIMIT"]) {
    const rate = worker.vars[name];
    const binding = `RATE_LIMIT_${String(rate).replace("/", "_").replace(/s$/, "")}`;
    if (typeof rate === "string" && rate !== "" && !worker.rates.includes(binding))
      findings.push(
        wrong(
          `${name} is ${rate}, and no [[ratelimits]] is named ${binding}: the Worker does not start.`,
          `Write [[ratelimits]] name = "${binding}", as the comment in a new project's wrangler.toml has it.`,
        ),
      );
  }
  if (worker.vars["API_KEYS"] !== undefined)
    findings.push(
      unwise(
        "API_KEYS is in [vars]: who reads the repository sees names and rights of callers.",
        "Take it out, and: npx wrangler secret put API_KEYS",
      ),
    );
  return [...findings, ...fromDeploy(where, (all) => checkQueues(worker.queues, all))];
}

/** What a check of `nearcast deploy` finds. */
export function fromDeploy(where: string, check: (findings: Findings) => void): Finding[] {
  const found: Findings = { problems: [], notes: [] };
  check(found);
  return asFindings(where, found);
}

export function asFindings(where: string, { problems, notes }: Findings): Finding[] {
  const { wrong, note } = findingsAt(where);
  return [...problems.map(({ what, fix }) => wrong(what, fix)), ...notes.map(note)];
}
