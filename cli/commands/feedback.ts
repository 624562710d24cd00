import type { Command } from "commander";
import { askDeployment, withDeploymentOptions, type DeploymentFlags } from "../deployment.ts";
import { readOutcomes } from "../outcomes.ts";
import { readText } from "../read-text.ts";
import { withStore, type StoreOptions } from "../store.ts";

interface Flags extends DeploymentFlags {
  caller?: string;
  store?: string;
}

/** The service takes so many at once. */
const AT_ONCE = 100;

interface Answer {
  results: { request_id: string; status: "counted" | "known" | "refused"; detail?: string }[];
}

/** `nearcast feedback <file or prefix> --url <deployment>`. */
export function feedbackCommand(program: Command): void {
  withDeploymentOptions(program.command("feedback <file>"))
    .description(
      'tell a deployment what really happened: .jsonl of {"request_id": …, "outcome": …}, or SageMaker\'s ground truth records',
    )
    .option("--store <url>", "<file> is the prefix of .jsonl objects in this store")
    .option("--caller <name>", "whose predictions these are (needs a key with the scope admin)")
    .action(async (file: string, { caller, store, ...deployment }: Flags) => {
      const texts = store === undefined ? [await readText(file)] : await textsOf(store, file, {});
      const given = texts.flatMap(readOutcomes);
      const counts = { counted: 0, known: 0, refused: 0 };
      for (let start = 0; start < given.length; start += AT_ONCE) {
        const body = given
          .slice(start, start + AT_ONCE)
          .map((one) => ({ ...one, ...(caller !== undefined && { caller }) }));
        const { results } = (await askDeployment(deployment, "/v1/feedback", body)) as Answer;
        for (const { status, detail } of results) {
          counts[status] += 1;
          if (detail) console.error(`nearcast: ${detail}`);
        }
      }
      const { counted, known, refused } = counts;
      console.log(`${counted} counted, ${known} known before, ${refused} refused.`);
      if (counted + known === 0) throw new Error("None of the outcomes was counted.");
    });
}

async function textsOf(url: string, prefix: string, options: StoreOptions): Promise<string[]> {
  return withStore(url, options, async (store) => {
    const keys = (await store.list(prefix)).filter((key) => /\.jsonl?$/.test(key));
    const texts: string[] = [];
    for (const key of keys) {
      const found = await store.get(key);
      if (found && found !== "not-modified") texts.push(new TextDecoder().decode(found.bytes));
    }
    return texts;
  });
}
