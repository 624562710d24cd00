import { expect } from "vitest";
import { addLines, succeed, temporaryFolder } from "./nearcast.ts";

export const LIMIT_MS = 300_000;
/** The time after which a release shows. */
export const FRESH = { RELEASE_TTL_SECONDS: "1" };

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function predict(fetch: Fetch): Promise<unknown> {
  const response = await fetch("/v1/models/line/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: { a: 1, b: 2, c: 3 } }),
  });
  return response.json();
}

const answerOf = (version: string, value: number) => ({
  model: "line",
  version,
  outputs: { value },
});

/** Goes from file to answer, to a new version, and back, while the function keeps running. */
export async function walk(
  store: string[],
  env: Record<string, string>,
  start: () => Promise<Fetch>,
): Promise<void> {
  const models = await temporaryFolder();
  const [url = "", ...flags] = store;
  await addLines(models);
  for (const version of ["line@1", "line@2"])
    await succeed(["push", version, "--models", models, "--to", url, ...flags], env);
  const fetch = await start();
  expect((await predict(fetch)) as object).toMatchObject({ code: "unknown_model" });

  const at = ["--store", url, ...flags];
  await succeed(["release", "line@1", ...at, "--by", "ada"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));
  await succeed(["release", "line@2", ...at, "--by", "ada", "--why", "ten times as much"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("2", 60));
  await succeed(["rollback", "line", ...at, "--by", "bob"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));

  const history = JSON.parse(await succeed(["history", "line", "--json", ...at], env)) as object;
  expect(history).toMatchObject({
    stable: "1",
    history: [
      { version: "1", by: "bob", why: "rollback from 2" },
      { version: "2", by: "ada", why: "ten times as much" },
      { version: "1", by: "ada" },
    ],
  });
  expect(JSON.parse(await succeed(["list", "--json", ...at], env))).toEqual({
    models: [{ name: "line", versions: ["1", "2"], released: "1" }],
  });
}
