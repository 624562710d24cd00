import { expect } from "vitest";
import { addLines, nearcastProcess, succeed, temporaryFolder } from "./nearcast.ts";

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
  const run = (args: string[]) => succeed(args, env, nearcastProcess);
  await addLines(models);
  for (const version of ["line@1", "line@2"])
    await run(["push", version, "--models", models, "--to", url, ...flags]);
  const fetch = await start();
  expect((await predict(fetch)) as object).toMatchObject({ code: "unknown_model" });

  const at = ["--store", url, ...flags];
  await run(["release", "line@1", ...at, "--by", "ada"]);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));
  await run(["release", "line@2", ...at, "--by", "ada", "--why", "ten times as much"]);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("2", 60));
  await run(["rollback", "line", ...at, "--by", "bob"]);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));

  const history = JSON.parse(await run(["history", "line", "--json", ...at])) as object;
  expect(history).toMatchObject({
    stable: "1",
    history: [
      { version: "1", by: "bob", why: "rollback from 2" },
      { version: "2", by: "ada", why: "ten times as much" },
      { version: "1", by: "ada" },
    ],
  });
  expect(JSON.parse(await run(["list", "--json", ...at]))).toEqual({
    models: [{ name: "line", versions: ["1", "2"], released: "1" }],
  });
}
