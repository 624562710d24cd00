import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { updateRelease } from "../../functions/model/change-release.ts";
import type { Release } from "../../functions/model/release.ts";
import { DEFAULT_POLICY, type Policy } from "../../functions/model/release-policy.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import type { RolloutStatus } from "../../functions/rollout/status.ts";
import type { Target } from "../harness/targets.ts";
import { INDEXES, triedModels } from "./models.ts";

interface Trial {
  /** `2`, of the other models, is the same as stable. */
  version: "good" | "bad" | "other" | "2";
  percent?: number;
  shadow?: number;
  policy?: Partial<Policy>;
  stable?: string;
  model?: string;
}

/** A folder of models with a version of `table`, or of another model, on trial. */
export async function onTrial(trial: Trial): Promise<string> {
  const { version, percent, shadow = 0, policy, stable = "1", model = "table" } = trial;
  const { folder, remove } = await triedModels({ stable });
  onTestFinished(remove);
  const share = percent === undefined ? { shadow } : { percent };
  await updateRelease(createFolderStore(folder), model, () => ({
    candidates: [{ version, ...share, segments: [] }] as unknown as Release["candidates"],
    policy: { ...DEFAULT_POLICY, ...policy },
    event: { version, change: "begun" },
  }));
  return folder;
}

export const HOUR_MS = 3_600_000;

type Fetch = (path: string, init: RequestInit) => Response | Promise<Response>;

/**
 * Asks so often, each time as another caller and each index equally often, and counts the answers by assignment and status.
 * So many requests are under way at a time.
 */
export function createLoad(fetch: Fetch, parallel = 1) {
  let asked = 0;
  return async function load(requests: number): Promise<Record<string, number>> {
    const seen: Record<string, number> = {};
    let left = requests;
    const ask = async (): Promise<void> => {
      while (left-- > 0) {
        const number = (asked += 1);
        const answer = await fetch("/v1/models/table/predict", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Nearcast-Key": `key-${number}` },
          body: JSON.stringify({ inputs: [number % INDEXES] }),
        });
        await answer.arrayBuffer();
        const said = `${answer.headers.get("X-Model-Assignment")} ${answer.status}`;
        seen[said] = (seen[said] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: parallel }, ask));
    return seen;
  };
}

/** A server that notes what it is told. */
export async function startWebhook(status = 200) {
  const told: unknown[] = [];
  const raw: { body: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      told.push(JSON.parse(body));
      raw.push({ body, headers: request.headers });
      response.writeHead(status, { Location: "http://127.0.0.1:1/" }).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { told, raw, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** What `GET /v1/models/table/rollout` answers. */
export async function statusOf(target: Pick<Target, "fetch">): Promise<RolloutStatus> {
  const answer = await target.fetch("/v1/models/table/rollout");
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as RolloutStatus;
}
