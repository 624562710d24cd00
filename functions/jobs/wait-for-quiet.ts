import type { Turns } from "../load/turns.ts";

const LOOK_MS = 5;

/** Requests go before jobs: waits while one waits for the processor. */
export async function waitForQuiet(turns: Turns | undefined): Promise<void> {
  if (turns) await waitWhile(() => isBusy(turns));
}

/** Waits while it is so, at most as long as that. */
export async function waitWhile(isSo: () => boolean, longestMs = Infinity): Promise<void> {
  const until = Date.now() + longestMs;
  while (isSo() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

/** Whether a request waits for the processor, or has it. */
function isBusy(turns: Turns): boolean {
  return turns.preparing.length() + turns.running.length() > 0;
}
