import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfModels } from "../../cli/local/models.ts";
import { targets, type StartTarget, type Target, type TargetOptions } from "../harness/targets.ts";

const IDENTITY = join(import.meta.dirname, "../fixtures/identity");

/** Platforms by name, each serving this repository's models and the Identity fixtures; iris by default. */
export const PLATFORMS: [name: string, start: () => Promise<Target>][] = Object.entries(
  targets,
).map(([name, start]) => [name, () => startWithIdentity(start)]);

async function startWithIdentity(start: StartTarget, options: TargetOptions = {}): Promise<Target> {
  const env = { DEFAULT_MODEL: "iris", MAX_BODY_BYTES: "2000000" };
  const target = await start({ env, ...options });
  for (const key of await filesOfModels(IDENTITY))
    await target.store.put(key, await readFile(join(IDENTITY, key)));
  return target;
}

/** Sends JSON by POST. */
export async function post(
  { fetch }: Pick<Target, "fetch">,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body: answer, headers: response.headers };
}

export async function get(
  { fetch }: Pick<Target, "fetch">,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
