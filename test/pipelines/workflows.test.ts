import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PLATFORMS, projectFiles } from "../../cli/init/project.ts";
import type { Workflow } from "./runner.ts";

const folder = join(import.meta.dirname, "../../.github/workflows");
const own = readdirSync(folder).map(
  (name) => [name, readFileSync(join(folder, name), "utf8")] as const,
);
const project = [...projectFiles({ name: "nearcast", platforms: PLATFORMS })]
  .filter(([path]) => path.startsWith(".github/workflows/"))
  .map(([path, text]) => [`init's ${path}`, String(text)] as const);

/** Which command may see which secret. */
const MAY_SEE = new RegExp(
  [
    /nearcast (-- )?(train|ship|push|deploy cloudflare) .*: AWS_\w+ /,
    /nearcast (-- )?(ship|deploy|preview) .*: NEARCAST_KEY /,
    /nearcast (-- )?ship .*: NEARCAST_SIGNING_KEY /,
    /nearcast (-- )?(deploy|preview) cloudflare .*: CLOUDFLARE_API_TOKEN /,
  ]
    .map(({ source }) => source)
    .join("|"),
);

describe.each([...own, ...project])("%s", (_, text) => {
  const workflow = parse(text) as Workflow;
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test("names each action by the digest of a tag", () => {
    const uses = text.match(/uses: .*/g) ?? [];
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses)
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("may only read, leaves no credentials behind, and ends", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.concurrency?.group).toBeTruthy();
    for (const job of Object.values(workflow.jobs)) {
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
      expect([undefined, "read"]).toContain(job.permissions?.["contents"]);
      expect(Object.keys(job.permissions ?? {})).not.toContain("write-all");
    }
    for (const { uses = "", with: inputs } of steps)
      if (uses.startsWith("actions/checkout@"))
        expect(inputs).toEqual({ "persist-credentials": false });
  });

  test("gives secrets only to the steps that need them", () => {
    for (const job of Object.values(workflow.jobs))
      expect(JSON.stringify(job.env ?? {})).not.toContain("secrets.");
    for (const { run = "", env = {} } of steps)
      for (const [name, value] of Object.entries(env).filter(([, one]) => one.includes("secrets.")))
        expect(`${run}: ${name} ${value}`).toMatch(MAY_SEE);
  });

  test("has nothing but commands that work elsewhere too", () => {
    const runs = steps.flatMap(({ run }) => run ?? []);
    for (const run of runs)
      expect(run).toMatch(
        /^(npm (ci|test|run build:assets|run nearcast -- .+)|npx nearcast .+|node infra\/\S+\.ts .+|\.ci\/run)$/,
      );
  });
});

test.each([
  ["deploy.yml", "DEPLOY", "production", "github.ref == 'refs/heads/main'"],
  [
    "preview.yml",
    "PREVIEW",
    "preview",
    "github.event.pull_request.head.repo.full_name == github.repository",
  ],
])("the jobs of %s wait for a variable of the repository", (name, verb, environment, when) => {
  for (const [, text] of [...own, ...project].filter(([path]) => path.endsWith(name))) {
    const { check: _check, ...jobs } = (parse(text) as Workflow).jobs;
    expect(Object.keys(jobs)).toEqual(["cloudflare", "lambda"]);
    for (const [platform, job] of Object.entries(jobs)) {
      // A job's `if` sees no variables of an environment. Forks must not get as far as secrets.
      expect(job.if).toBe(`${when} && vars.${verb}_${platform.toUpperCase()} == 'true'`);
      expect(job.environment).toBe(environment);
    }
  }
});

test("each commit of a pull request has a folder of its own in the previews' bucket", () => {
  for (const [path, text] of [...own, ...project].filter(([one]) => one.endsWith("preview.yml"))) {
    const { env, steps } = (parse(text) as Workflow).jobs["cloudflare"]!;
    expect(env?.["FOLDER"]).toBe("pr-${{ github.event.number }}/${{ github.sha }}");
    const runs = steps.map(({ run }) => run ?? "").join("\n");
    expect(runs, path).toMatch(/push .* "r2:\/\/nearcast-preview-models\/\$FOLDER"\n/);
    expect(runs, path).toMatch(/preview cloudflare .* -- --var "STORE:r2:\/\/MODELS\/\$FOLDER"\n/);
  }
});

test.each(["deploy.yml", "preview.yml"])(
  "this repository's %s does what a project's does",
  (name) => {
    const [ours, theirs] = [own, project].map((all) => {
      const [, text = ""] = all.find(([path]) => path.endsWith(name)) ?? [];
      const { check: _check, ...jobs } = (parse(text) as Workflow).jobs;
      return Object.values(jobs).map(({ steps, ...job }) => {
        const runs = steps.filter(({ run }) => run !== "npm run build:assets");
        return { ...job, steps: runs };
      });
    });
    const asProject = JSON.stringify(ours)
      .replaceAll("npm run nearcast --", "npx nearcast")
      .replaceAll(" --entry entries/lambda.ts", "");
    expect(JSON.parse(asProject)).toEqual(theirs);
  },
);
