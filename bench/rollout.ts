import { caughtAfter } from "../test/rollout/simulated.ts";
import type { Table } from "./report.ts";
import { quantile } from "./statistics.ts";

const SHARES = [0.05, 0.1, 0.5];
const OWN_ERRORS = [0.02, 0.05, 0.5];
const STABLE_ERRORS = 0.01;
const ROLLOUTS = 400;
const MOST_REQUESTS = 50_000;

/** How many requests of a model it takes to find a bad version on trial, by simulation. */
export function rollout(): Table[] {
  const rows = OWN_ERRORS.flatMap((ownErrors) =>
    SHARES.map((share) => {
      const times = Array.from({ length: ROLLOUTS }, (_, seed) => {
        const simulated = {
          share,
          stableErrors: STABLE_ERRORS,
          ownErrors,
          requests: MOST_REQUESTS,
        };
        return caughtAfter(seed + 1, simulated) ?? Infinity;
      });
      const at = (q: number) => {
        const time = quantile(times, q);
        return time === Infinity ? `over ${MOST_REQUESTS}` : String(time);
      };
      const found = times.filter((time) => time < Infinity).length;
      return [
        `${ownErrors * 100} %`,
        `${share * 100} %`,
        at(0.5),
        at(0.95),
        `${found} of ${ROLLOUTS}`,
      ];
    }),
  );
  const note = `Simulated rollouts with α 0.01, looked at after every error; stable fails in ${STABLE_ERRORS * 100} % of its requests. Requests are those of both versions together.`;
  const columns = ["its errors", "its share", "requests, median", "95th percentile", "found"];
  return [{ title: "Requests until a bad version is taken back", note, columns, rows }];
}
