import type { Registry } from "../../model/registry.ts";
import type { Platform } from "../../platform/types.ts";
import { createFreshSamples } from "../fresh-samples.ts";
import { GAUGES, type Metric } from "../metrics.ts";
import type { Sample } from "../metrics-text.ts";
import { FEWEST_SHOWN } from "../fewest-shown.ts";
import type { Accuracy } from "./outcomes.ts";
import { accuracyOver } from "./window.ts";

/** The days whose outcomes are measured. */
const DAYS = 7;

const MEASURES: readonly [keyof Accuracy, Metric][] = [
  ["accuracy", GAUGES.accuracy],
  ["f1_macro", GAUGES.f1],
  ["mae", GAUGES.mae],
  ["rmse", GAUGES.rmse],
  ["estimated_accuracy", GAUGES.estimate],
];

/**
 * Gives the accuracy in production as samples, of the stable version and the candidates of each model that this instance
 * predicted with or got outcomes for.
 */
export function createAccuracySamples(
  { counters, log }: Pick<Platform, "counters" | "log">,
  registry: Pick<Registry, "release" | "resolve">,
  models: () => readonly string[],
): () => Promise<Sample[]> {
  async function samplesOf(model: string, version: string, role: string): Promise<Sample[]> {
    const { manifest } = await registry.resolve(model, { version });
    if (!manifest.feedback) return [];
    const accuracy = await accuracyOver(counters, manifest, DAYS);
    const { count } = accuracy;
    const labels = [model, version, role];
    return [
      ...(count < FEWEST_SHOWN ? [] : [{ metric: GAUGES.outcomes, labels, values: [count] }]),
      ...MEASURES.flatMap(([name, metric]) => {
        const value = accuracy[name];
        return value === undefined ? [] : [{ metric, labels, values: [value] }];
      }),
    ];
  }

  return createFreshSamples(log, {
    what: "accuracy",
    subjects: models,
    async samplesOf(model: string) {
      const { stable, candidates } = await registry.release(model);
      const roles = new Map(candidates.map(({ version }) => [version, "candidate"]));
      roles.set(stable, "stable");
      const all = [...roles].map(([version, role]) => samplesOf(model, version, role));
      return (await Promise.all(all)).flat();
    },
  });
}
