import { expect } from "vitest";
import { nearcast, snapshot, temporaryFolder } from "./nearcast.ts";

/** The command refuses the export, says why, and writes nothing. */
export async function expectRefused(
  folder: string,
  reason: string,
  flags: readonly string[] = [],
): Promise<void> {
  const models = await temporaryFolder();
  const outcome = await nearcast(["add", folder, "--name", "it", "--models", models, ...flags]);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(reason);
  expect(await snapshot(models)).toEqual({});
}
