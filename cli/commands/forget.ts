import { Option, type Command } from "commander";
import { ANYONE } from "../../functions/auth/caller.ts";
import { keyText } from "../../functions/observe/capture/captured.ts";
import { removeExpired } from "../../functions/observe/capture/expire.ts";
import type { Wanted } from "../../functions/observe/capture/forgotten.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { forget } from "../captured/forget.ts";
import { askDeployment } from "../deployment.ts";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { checkName } from "../package-folder.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  requestId?: string;
  subject?: string;
  expired?: true;
  url?: string;
  key?: string;
  caller: string;
}

/** The service takes so many at once. */
const AT_ONCE = 100;

/** `nearcast forget <model>`. */
export function forgetCommand(program: Command): void {
  withStoreOptions(program.command("forget <model>"))
    .description("remove captured inputs and outcomes from the store, and kept predictions")
    .option("--request-id <id>", "those of one request")
    .option("--subject <name>", "those of a subject, as the manifest's `capture` names it")
    .option("--expired", "those whose retention is over")
    .addOption(
      new Option("--url <url>", "also the predictions that this deployment keeps for feedback").env(
        "NEARCAST_URL",
      ),
    )
    .addOption(new Option("--key <key>", "its key, with the scope admin").env("NEARCAST_KEY"))
    .option("--caller <name>", "who made the request, where it was not captured", ANYONE.name)
    .action(async (model: string, flags: Flags) => {
      checkName("model", model);
      const wanted = wantedOf(flags);
      await withStore(flags.store, flags, async (store) => {
        if (wanted === "expired") {
          const objects = await removeExpired(store, model, Date.now());
          return console.log(`${model}: ${objects} expired objects were removed.`);
        }
        const { inputs, outcomes, keys } = await forget(store, model, wanted);
        console.log(`${model}: ${inputs} inputs and ${outcomes} outcomes were removed.`);
        if ("requestId" in wanted) keys.add(sha256(keyText(flags.caller, wanted.requestId)));
        const { url, key } = flags;
        if (url === undefined)
          return console.log("With --url, predictions that are kept for feedback are removed too.");
        const kept = await forgetKept({ url, ...(key !== undefined && { key }) }, [...keys]);
        console.log(`${model}: ${kept} kept predictions were removed.`);
      });
    });
}

async function forgetKept(
  deployment: { url: string; key?: string },
  keys: readonly string[],
): Promise<number> {
  let count = 0;
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    const body = { keys: keys.slice(start, start + AT_ONCE) };
    const answer = await askDeployment(deployment, "/v1/feedback/forget", body);
    count += (answer as { forgotten: number }).forgotten;
  }
  return count;
}

function wantedOf({ requestId, subject, expired }: Flags): Wanted | "expired" {
  const given: (Wanted | "expired")[] = [];
  if (requestId !== undefined) given.push({ requestId });
  if (subject !== undefined) given.push({ subject });
  if (expired) given.push("expired");
  const [wanted] = given;
  if (wanted === undefined || given.length > 1)
    throw new Error("forget needs one of --request-id, --subject and --expired.");
  return wanted;
}
