import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { examine, platformsHere } from "../../cli/doctor/examine.ts";
import { projectWith } from "../pipelines/stand-in.ts";
import { temporaryFolder } from "./nearcast.ts";

const options = { stage: undefined, models: "models", store: undefined };

test.each(["wrangler.toml", "wrangler.json", "wrangler.jsonc"])(
  "%s is a Worker's",
  async (file) => {
    const folder = await temporaryFolder();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(folder);
    expect(platformsHere()).toEqual(["node"]);
    const text = file.endsWith("toml") ? 'name = "a"' : '{ "name": "a" }';
    await writeFile(join(folder, file), text);
    expect(platformsHere()).toEqual(["cloudflare"]);
    const [finding] = await examine("cloudflare", options);
    expect(finding).toMatchObject({ where: file, level: "wrong" });
    expect(finding?.what).toContain("binds no R2 bucket as MODELS");
  },
);

test("keys and buckets are looked for in the stack's region, whatever the environment says", async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("AWS_REGION", "ap-south-1");
  for (const name of ["AWS_PROFILE", "AWS_ACCESS_KEY_ID"]) vi.stubEnv(name, undefined);
  await examine("lambda", options);
  expect(process.env["AWS_REGION"]).toBe("us-east-1");
});

test("a Worker that spills and lets everyone in is told that its secret is missing", async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("CLOUDFLARE_API_TOKEN", "test");
  const { project } = await projectWith("wrangler", { "secret list": { says: "[]" } });
  const lines = [
    'name = "a"\ncompatibility_date = "2026-11-01"',
    '[vars]\nAUTH = "none"\nSPILL_URL = "https://region.example.com"',
    '[[r2_buckets]]\nbinding = "MODELS"\nbucket_name = "models"',
  ];
  await writeFile(join(project, "wrangler.toml"), lines.join("\n"));
  const wrong = (await examine("cloudflare", options)).map(({ what }) => what);
  expect(wrong).toContainEqual(expect.stringContaining("The Worker has no secret SPILL_SECRET"));
  expect(wrong).not.toContainEqual(expect.stringContaining("API_KEYS"));
});
