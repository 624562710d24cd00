import { setTimeout as sleep } from "node:timers/promises";
import type { RowError } from "../../functions/inputs/row.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { refuseStateOfRows } from "../../functions/tasks/state/of-calls.ts";
import { askDeployment } from "../deployment.ts";
import type { Reference } from "../package-folder.ts";
import { projectTasks } from "../project.ts";
import type { Asked } from "./asked.ts";

interface RemoteFlags {
  url: string;
  key?: string;
  parameters?: unknown;
  atOnce: number;
}

const MOST_TRIES = 8;
const LONGEST_WAIT_MS = 30_000;
const TIMEOUT_MS = 120_000;
/** Answers of a gateway, or of an instance that ends or has no place. A prediction may be asked for twice. */
const MAY_PASS = new Set([408, 502, 503]);

/** A deployment's version, asked with synchronous requests. It is fixed when the first one is sent. */
export async function openRemote(
  { name, version: named }: Reference,
  { parameters, atOnce, ...deployment }: RemoteFlags,
): Promise<Asked> {
  const path = `/v1/models/${encodeURIComponent(name)}`;
  const versioned = (version: string) => `${path}/versions/${encodeURIComponent(version)}`;
  const described = await askDeployment(deployment, named ? versioned(named) : path);
  const manifest = described as Manifest;
  const { version } = manifest;
  const task = (await projectTasks()).of(manifest);
  refuseStateOfRows(task, parameters);
  const each = manifest.lookup ? "?features=each" : "";
  const address = `${deployment.url.replace(/\/+$/, "")}${versioned(version)}/predict${each}`;
  const headers = {
    "Content-Type": "application/json",
    ...(deployment.key && { Authorization: `Bearer ${deployment.key}` }),
  };
  return {
    name,
    version,
    model: { manifest, task, limits: { batch: Infinity } },
    rows: 1000,
    atOnce,
    async ask(inputs) {
      const body = JSON.stringify({ inputs, ...(parameters !== undefined && { parameters }) });
      const answer = await send(address, { method: "POST", headers, body });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as { outputs: unknown; features?: unknown };
      const { code, detail, errors } = problemIn(text);
      if (answer.status === 401 || answer.status === 403 || answer.status === 404)
        throw new Error(`${address} answered ${answer.status}: ${detail}`);
      return { code, detail, ...(errors && { errors }) };
    },
  };
}

/** Sends the request until it is answered for good, after as long as the deployment says. */
async function send(address: string, init: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const backoff = Math.min(250 * 2 ** tries, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
    const answer = await fetch(address, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
      (cause: Error) => cause,
    );
    const failed = answer instanceof Error;
    const seconds = failed ? 0 : Number(answer.headers.get("retry-after") ?? "");
    // A rate that can never allow the request does not say when.
    const isRate = !failed && answer.status === 429 && seconds > 0;
    // A source of features was too slow. A run that was too slow does not say when to ask again.
    const isSource = !failed && answer.status === 504 && seconds > 0;
    if (!failed && !isRate && !isSource && !MAY_PASS.has(answer.status)) return answer;
    // A rate is waited for, however long that takes.
    if (tries >= MOST_TRIES && !isRate)
      throw new Error(
        failed
          ? `${address} cannot be reached: ${reasonOf(answer)}`
          : `${address} answered ${answer.status} ${tries} times: ${problemIn(await answer.text()).detail}`,
      );
    if (!failed) await answer.arrayBuffer();
    await sleep(isRate ? seconds * 1000 : Math.max(seconds * 1000, backoff));
  }
}

function reasonOf(error: Error): string {
  return ((error.cause as Error | undefined) ?? error).message;
}

function problemIn(text: string): RowError {
  try {
    return JSON.parse(text) as RowError;
  } catch {
    return { code: "internal", detail: text.slice(0, 200) };
  }
}
