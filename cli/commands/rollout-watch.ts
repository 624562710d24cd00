import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { isOnTrial, percentOf, readRelease } from "../../functions/model/release.ts";
import type { Store } from "../../functions/model/store.ts";
import { createWebhookPost } from "../../functions/platform/webhook-post.ts";
import { watchModel, type Look } from "../../functions/rollout/watch.ts";
import { secretsSchema } from "../../functions/webhooks/secrets.ts";
import { describeFailure } from "../failure.ts";
import { seconds, withStoreOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { releaseNote } from "../releases.ts";
import { evidenceFrom, withEvidenceOptions, type EvidenceFlags } from "../rollout-evidence.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags, EvidenceFlags {
  every: number;
  for?: number;
  once?: true;
  by?: string;
}

/** `nearcast rollout watch <model>`: does what a server does by itself, for who has no scheduler. */
export function rolloutWatchCommand(rollout: Command): void {
  withEvidenceOptions(withStoreOptions(rollout.command("watch <model>")))
    .description(
      "look at a version on trial until it is taken back (exit code 1), has its last share, or is no longer on trial",
    )
    .option("--every <time>", "how often, such as 30s", seconds, 10)
    .option("--for <time>", "how long at most, such as 1h", seconds)
    .option("--once", "look once, as from cron")
    .option("--by <who>", "who changes the release (default: the CI account or the user)")
    .action(async (model: string, flags: Flags) => {
      checkName("model", model);
      const evidenceOf = evidenceFrom(flags);
      if (!evidenceOf) throw new Error("Say where the counts are: --url, --redis or --table.");
      const { by } = releaseNote(flags);
      const { post } = createWebhookPost();
      const signing = secretsSchema.parse(process.env["WEBHOOK_SECRET"] || "{}").get("*") ?? [];
      const secrets = async () => signing;
      await withStore(flags.store, flags, (store) =>
        watch(model, flags, store, () =>
          watchModel({ store, evidenceOf, post, secrets, log, by }, model),
        ),
      );
    });
}

const log = (entry: object) => console.log(JSON.stringify(entry));

async function watch(
  model: string,
  { every, once, for: longest = Infinity }: Flags,
  store: Store,
  lookOnce: () => Promise<Look>,
): Promise<void> {
  const endsAt = performance.now() + longest * 1000;
  for (;;) {
    const look = await lookOnce().catch((error: unknown) => {
      if (once) throw error;
      process.stderr.write(
        `this look failed, and the next one decides: ${describeFailure(error)}\n`,
      );
      return undefined;
    });
    if (typeof look === "object" && look.kind === "rollback")
      throw new Error(`${model}@${look.version} was taken back: ${look.reason}.`);
    if (look === "idle") return console.log(`${model} has no version on trial.`);
    if (once) return;
    if (look !== undefined && (await hasLastShare(store, model)))
      return console.log(`${model} has the last share of its steps: nearcast promote ${model}`);
    if (performance.now() + every * 1000 > endsAt)
      return console.log(`${model} is still on trial after ${longest} s.`);
    await sleep(every * 1000);
  }
}

/** Whether the steps are done. False without steps. */
async function hasLastShare(store: Store, model: string): Promise<boolean> {
  const release = (await readRelease(store, model))?.release;
  const last = release?.policy?.steps?.percents.at(-1);
  const tried = release?.candidates.filter(isOnTrial) ?? [];
  return last !== undefined && tried.every((one) => (percentOf(one) ?? last) >= last);
}
