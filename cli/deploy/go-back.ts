import { describeFailure } from "../failure.ts";
import { smoke, type SmokeOptions } from "../smoke.ts";
import type { Deployed, Deployment } from "./types.ts";

/** How to ask, wherever it is. */
type Asking = Pick<SmokeOptions, "key" | "tolerance" | "waitSeconds">;

/**
 * Deploys, and asks all places that were deployed to. Where one of them fails, all that can go back do: they should
 * answer alike. Then throws with what failed, and with what answers now.
 * @param options.url Where it answers, in place of what the tool says, if it is one place.
 */
export async function deployAndAsk(
  { run }: Pick<Deployment, "run">,
  options: Asking & { url?: string },
): Promise<void> {
  const deployed: Deployed[] = [];
  try {
    await run(deployed);
  } catch (cause) {
    const failed = [describeFailure(cause), ...(await takeBack(deployed, options))];
    throw new Error(failed.join(" "), { cause });
  }
  const [first] = deployed;
  if (first && deployed.length === 1) first.url = options.url || first.url;
  if (deployed.some(({ url }) => url === undefined))
    throw new Error("It is deployed, and was not asked: say with --url where it is.");
  try {
    await ask(deployed, options);
  } catch (cause) {
    const failed = `What was deployed fails. ${describeFailure(cause)}`;
    throw new Error([failed, ...(await takeBack(deployed, options))].join(" "), { cause });
  }
}

/** Asks what is new, or what was there before and is back. */
async function ask(
  deployed: readonly Deployed[],
  options: Asking,
  which: "new" | "before" = "new",
): Promise<void> {
  for (const { url, id, released } of deployed) {
    if (url === undefined) continue;
    const answeredBy = which === "new" ? id && { is: id } : id && { isNot: id };
    const asked = { ...options, url, released, ...(answeredBy && { answeredBy }) };
    for (const line of await smoke(asked)) console.log(line);
  }
}

/** Gives sentences about what became of each place. */
async function takeBack(deployed: readonly Deployed[], options: Asking): Promise<string[]> {
  const said: string[] = [];
  const back: Deployed[] = [];
  for (const one of deployed) {
    const what = one.url === undefined ? "What is new" : `What is new at ${one.url}`;
    if (!one.goBack) {
      said.push(`${what} stays: there is nothing to go back to.`);
      continue;
    }
    try {
      await one.goBack();
      back.push(one);
    } catch (error) {
      said.push(`${what} stays: ${describeFailure(error)}`);
    }
  }
  if (back.length === 0) return said;
  const again = await ask(back, options, "before").then(
    () => "answers again.",
    (error: unknown) => `is back, and fails too. ${describeFailure(error)}`,
  );
  return [...said, `What was deployed before ${again}`];
}
