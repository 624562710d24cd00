import type { Command } from "commander";
import { readRelease } from "../../functions/model/release.ts";
import type { DropReason } from "../../functions/observe/observer.ts";
import type { Evidence } from "../../functions/rollout/evidence.ts";
import {
  describeRollout,
  type CandidateStatus,
  type RolloutStatus,
} from "../../functions/rollout/status.ts";
import { jsonOption, withStoreOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { evidenceFrom, withEvidenceOptions, type EvidenceFlags } from "../rollout-evidence.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags, EvidenceFlags {
  json?: true;
}

/** `nearcast status <model>`. */
export function statusCommand(program: Command): void {
  withEvidenceOptions(withStoreOptions(program.command("status <model>")))
    .description(
      "which version gets what, since when, and with --url, --redis or --table the evidence",
    )
    .addOption(jsonOption())
    .action(async (model: string, flags: Flags) => {
      checkName("model", model);
      const evidenceOf = evidenceFrom(flags);
      await withStore(flags.store, flags, async (store) => {
        const found = await readRelease(store, model);
        if (!found) throw new Error(`${model} was never released in ${flags.store}.`);
        const evidence = new Map<string, Evidence>();
        for (const one of found.release.candidates)
          if (evidenceOf) evidence.set(one.version, await evidenceOf(model, one));
        const status = describeRollout(model, found.release, evidence);
        console.log(
          flags.json ? JSON.stringify(status) : describe(status, evidenceOf !== undefined),
        );
      });
    });
}

function describe({ model, stable, since, candidates }: RolloutStatus, isCounted: boolean): string {
  const left = 100 - candidates.reduce((sum, { percent = 0 }) => sum + percent, 0);
  const lines = [`${model}@${stable} is stable${sinceText(since)} and gets ${left} %.`];
  for (const one of candidates) {
    const share = one.percent === undefined ? `copies of ${one.shadow} %` : `${one.percent} %`;
    lines.push(`${model}@${one.version} gets ${share}${sinceText(one.since)}.`);
    if (isCounted) lines.push(...evidenceLines(one));
  }
  if (candidates.length > 0 && !isCounted)
    lines.push("What was counted is with the deployment: --url, --redis or --table shows it.");
  return lines.join("\n");
}

function sinceText(since: string | undefined): string {
  return since === undefined ? "" : ` since ${since}`;
}

function evidenceLines(one: CandidateStatus): string[] {
  const { shadow, requests, errors, stable, evidence, problem } = one;
  return [
    `  ${shadow === undefined ? "requests" : "copies  "}  ${requests}, of which ${errors} failed; stable's ${stable.requests}, of which ${stable.errors} failed`,
    ...copyLines(one),
    `  evidence  ${evidence.toPrecision(3)}`,
    `  ${problem === undefined ? "nothing shows that it is worse" : `worse: ${problem}`}`,
  ];
}

/** Why requests were not copied, in words. */
const DROPPED: Record<DropReason, string> = {
  busy: "others were answered",
  size: "the request was too large",
  memory: "there was no free memory for the version",
  store: "the store was out of reach",
  platform: "Lambda makes none",
  state: "they went on from a state of the released version",
};

function copyLines({ shadow, copies: { compared, disagreed, dropped = {} } }: CandidateStatus) {
  if (shadow === undefined) return [];
  const why = (Object.entries(dropped) as [DropReason, number][]).map(
    ([reason, count]) => `${count} because ${DROPPED[reason] ?? reason}`,
  );
  return [
    `  inputs    ${compared} compared, of which ${disagreed} were answered otherwise`,
    ...(why.length > 0 ? [`  not made  ${why.join(", ")}`] : []),
  ];
}
