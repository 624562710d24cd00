import type { Table } from "./report.ts";
import { quantile, trend } from "./statistics.ts";

/** MiB a request: ten bytes. */
const BOUND = 1e-5;

export interface Soaked {
  requests: number;
  connections: number;
  /** One request in this many was bad. */
  badEvery: number;
  /**
   * With costly requests: one in how many, of how many kinds, and the milliseconds of good requests without and with
   * them.
   */
  costly: { every: number; kinds: number; quiet: number[]; mixed: number[] } | undefined;
  tolerance: number;
  /** MiB. */
  samples: number[];
  wrong: number;
  /** How many different good requests there were, and how many different answers. */
  kinds: number;
  different: number;
}

/** The result of a soak, with a verdict on each of its questions. */
export function soakTable(soaked: Soaked): Table {
  const { samples, wrong, kinds, different, costly } = soaked;
  const { slope, margin } = trend(samples.slice(samples.length >> 1));
  const perSample = soaked.requests / (samples.length - 1);
  const bound = BOUND * perSample;
  const [requests, every, asked, answers] = [soaked.requests, perSample, kinds, different].map(
    (count) => count.toLocaleString("en"),
  );
  return {
    title: costly ? "Soak with costly bodies" : "Soak",
    note:
      `${requests} requests over ${soaked.connections} connections, at random of ${asked} different ones with ` +
      `${answers} different answers: every shipped model, one input and batches, images, tensors in JSON and ` +
      `in binary; one in ${soaked.badEvery} bad. ` +
      (costly
        ? `One in ${costly.every} is one of the ${costly.kinds} costliest bodies of test/adversarial. Milliseconds ` +
          `are of the good ones, with costly ones among them and in shares of the same run without. `
        : "") +
      `Each was asked alone first, the manifests' examples compared with their ` +
      `outputs within ${soaked.tolerance}; wrong is what differs from that first answer. MiB of resident memory, sampled ` +
      `every ${every} after a collection; the trend is of the second half, by least squares, with its 95 % interval. ` +
      `No trend: the interval holds 0 or what is below, or all of it is below ${bound} MiB every ${every} requests.`,
    columns: [
      "wrong answers",
      "memory",
      `trend, MiB every ${every} requests`,
      "verdict",
      ...(costly ? ["p50 and p99 without", "p50 and p99 with"] : []),
    ],
    rows: [
      [
        String(wrong),
        samples.map((sample) => sample.toFixed(0)).join(", "),
        `${slope.toFixed(2)} ± ${margin.toFixed(2)}`,
        slope - margin <= 0 || slope + margin < bound ? "no trend" : "grows",
        ...(costly ? [waits(costly.quiet), waits(costly.mixed)] : []),
      ],
    ],
  };
}

function waits(milliseconds: readonly number[]): string {
  return [0.5, 0.99].map((q) => quantile(milliseconds, q).toFixed(1)).join(" and ");
}
