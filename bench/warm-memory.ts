import type { NodeServer } from "../test/harness/node-server.ts";
import { residentMemory } from "./processes.ts";
import { shippedModels } from "./shipped.ts";

/** Resident MiB when the server has sessions of all shipped models, each asked as often as the bare script runs it. */
export async function warmMemory({ fetch, pid }: NodeServer): Promise<number> {
  for (const { manifest, examples } of await shippedModels())
    for (let turn = 0; turn < 1000; turn++) {
      const answer = await fetch(`/v1/models/${manifest.name}/predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: examples[0]?.input }),
      });
      if (!answer.ok) throw new Error(`${manifest.name} answered ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  return (await residentMemory(pid)).now;
}
