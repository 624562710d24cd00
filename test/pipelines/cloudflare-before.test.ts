import { expect, test } from "vitest";
import { versionBefore } from "../../cli/deploy/cloudflare.ts";
import { projectWith, type Answers } from "./stand-in.ts";

async function before(status: Answers[string]): Promise<string | undefined> {
  await projectWith("wrangler", { "deployments status --json": status });
  return versionBefore(undefined);
}

test("the version that answers can be gone back to", async () => {
  expect(await before({ says: '{ "versions": [{ "version_id": "v1" }] }' })).toBe("v1");
});

test("a Worker that is not there has nothing to go back to", async () => {
  expect(await before({ fails: "Not found [code: 10007]" })).toBeUndefined();
});

test("what cannot be asked for is not taken for what is not there", async () => {
  await expect(before({ fails: "Internal error [code: 10001]" })).rejects.toThrow("Internal error");
});
