import { expect } from "vitest";
import { nearcast, snapshot, temporaryFolder } from "./nearcast.ts";

/** The command refuses the export, says why, and writes nothing. */
export async function expectRefused(folder: string, reason: string): Promise<void> {
  const models = await temporaryFolder();
  const outcome = await nearcast(["add", folder, "--name", "it", "--models", models]);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(reason);
  expect(await snapshot(models)).toEqual({});
}
