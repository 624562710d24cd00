import type { WorkerConfiguration } from "../wrangler.ts";
import type { Findings } from "./findings.ts";

/** Checks that somebody runs the jobs that the Worker sends to its queue, and that each of them ends. */
export function checkQueues(
  { producers = [], consumers = [] }: WorkerConfiguration["queues"],
  findings: Findings,
): void {
  const jobs = producers.find(({ binding }) => binding === "JOBS")?.queue;
  if (jobs === undefined) return;
  const fix =
    "The lines are in the wrangler.toml of a new project (npx nearcast init) and in docs/jobs.md.";
  const report = (what: string) => void findings.problems.push({ what, fix });
  const consumer = consumers.find(({ queue }) => queue === jobs);
  if (!consumer)
    return report(`wrangler.toml sends jobs to ${jobs}, but has no [[queues.consumers]] for it.`);
  const dead = consumer.dead_letter_queue;
  if (dead === undefined)
    return report(
      `${jobs} has no dead_letter_queue: jobs that end their invocations would stay running.`,
    );
  if (!dead.endsWith("-dead"))
    report(`The dead_letter_queue of ${jobs} is ${dead}: its name must end in -dead.`);
  if (!consumers.some(({ queue }) => queue === dead))
    report(`wrangler.toml has no [[queues.consumers]] for ${dead}: jobs there would stay running.`);
}
