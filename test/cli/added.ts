import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fixture, succeed, temporaryFolder } from "./nearcast.ts";

/** Adds a fixture, verifies it on both runtimes and gives its manifest. */
export async function added(path: string, ...args: string[]): Promise<Record<string, unknown>> {
  const models = await temporaryFolder();
  await succeed(["add", fixture(path), "--name", "it", "--models", models, ...args]);
  await succeed(["verify", "it", "--record", "--models", models]);
  return JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as Record<
    string,
    unknown
  >;
}
