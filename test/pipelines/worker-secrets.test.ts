import { expect, test } from "vitest";
import { checkSecrets } from "../../cli/deploy/cloudflare.ts";
import type { Findings } from "../../cli/deploy/findings.ts";
import { projectWith } from "./stand-in.ts";

const SPILLS = { SPILL_URL: "https://region.example.com" };
const PRODUCTION = { dryRun: false, stage: "production" };

/** What is found about a Worker with these variables and secrets. */
async function found(vars: Record<string, unknown>, secrets: string[], dryRun = false) {
  const list = JSON.stringify(
    secrets.map((name) => ({ name, type: "secret_text" })),
    null,
    2,
  );
  const { calls } = await projectWith("wrangler", { "secret list": { says: list } });
  const findings: Findings = { problems: [], notes: [] };
  await checkSecrets({ vars }, { ...PRODUCTION, dryRun }, findings);
  return { findings, calls };
}

test("a Worker that spills needs the secret of its region, whoever may ask it", async () => {
  for (const [vars, has] of [
    [SPILLS, ["API_KEYS"]],
    [{ ...SPILLS, AUTH: "none" }, []],
    [{ ...SPILLS, JWT_ISSUER: "https://issuer.example.com" }, ["API_KEYS"]],
  ] as const) {
    const { findings, calls } = await found(vars, [...has]);
    expect(await calls()).toEqual(["secret list --format json --env=production"]);
    expect(findings).toEqual({
      problems: [
        {
          what: "The Worker has no secret SPILL_SECRET, which SPILL_URL needs: it would answer nothing.",
          fix: "paste the region's SPILL_SECRET into: npx wrangler secret put SPILL_SECRET --env production",
        },
      ],
      notes: [],
    });
  }
});

test("a Worker with its secrets, or that needs none, has no problem", async () => {
  const both = ["API_KEYS", "SPILL_SECRET"];
  expect((await found(SPILLS, both)).findings).toEqual({ problems: [], notes: [] });
  expect((await found({ AUTH: "none" }, [])).findings).toEqual({ problems: [], notes: [] });
});

test("each missing secret is told, and a dry run says which were not looked for", async () => {
  const { problems } = (await found(SPILLS, ["OTHER"])).findings;
  expect(problems.map(({ what }) => what)).toEqual([
    expect.stringContaining("no secret API_KEYS, and no JWT_ISSUER"),
    expect.stringContaining("no secret SPILL_SECRET"),
  ]);
  const { notes } = (await found(SPILLS, [], true)).findings;
  expect(notes).toEqual([
    expect.stringContaining("wrangler secret put API_KEYS --env production"),
    expect.stringContaining("wrangler secret put SPILL_SECRET --env production"),
  ]);
});
