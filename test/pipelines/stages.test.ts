import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLATFORMS, projectFiles } from "../../cli/init/project.ts";

const root = join(import.meta.dirname, "../..");
const STAGES = ["STAGE", "dev", "staging", "production", "preview", "pr-12"];
/** Where a stage is named: an option, a parameter's name. The bucket of an environment has its name too. */
const NAMED = /--(?:stage|env)[ =]([a-z][\w-]*)|\/[\w-]+\/([\w-]+)\/api-keys/g;

const own = globSync(["*.md", "docs/*.md", ".github/workflows/*.yml", "*.yml"], { cwd: root }).map(
  (path) => [path, readFileSync(join(root, path), "utf8")] as const,
);
const project = [...projectFiles({ name: "nearcast", platforms: PLATFORMS })]
  .filter(([path]) => /\.(md|yml)$/.test(path))
  .map(([path, text]) => [`init's ${path}`, String(text)] as const);
const files = new Map([...own, ...project]);

function stagesIn(text: string): string[] {
  return [...text.matchAll(NAMED)].map(([, option, parameter]) => option ?? parameter ?? "");
}

test("documents and workflows know the same stages", () => {
  for (const [path, text] of files)
    for (const stage of stagesIn(text)) expect(STAGES, path).toContain(stage);
});

test.each(["README.md", "init's README.md"])("what %s makes is what CI deploys to", (path) => {
  const readme = files.get(path) ?? "";
  const workflow = files.get(path.replace("README.md", ".github/workflows/deploy.yml")) ?? "";
  const byHand = /\*\*Cloudflare Workers\*\*[^]*(?=\*\*Node)/.exec(readme)?.[0] ?? "";
  for (const text of [byHand, workflow]) {
    const buckets = text.match(/r2:\/\/[\w-]+/g) ?? [];
    expect(buckets.length).toBeGreaterThan(0);
    for (const bucket of buckets) expect(bucket).toMatch(/-models-production$/);
    const deploys =
      text.match(/nearcast deploy (cloudflare|lambda)[^`\n]*|nearcast -- deploy .+/g) ?? [];
    expect(deploys.length).toBeGreaterThan(1);
    for (const line of deploys) expect(line).toContain("--stage production");
  }
  expect(readme).toMatch(/\/[\w-]+\/production\/api-keys/);
  expect(readme).toContain("secret put API_KEYS --env production");
});
