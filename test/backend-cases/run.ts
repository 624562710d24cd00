// Adds every case that test/fixtures/backend-cases/cases.py wrote, and asks it through v2 on both runtimes:
//
//     node test/backend-cases/run.ts FOLDER
//
// Writes a line for each to FOLDER/results.jsonl. A case that is there already is not asked again.
import { spawnSync } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addVersion } from "../../cli/add/version.ts";
import { FORMS, openApp, RUNTIMES, wrongAnswer } from "./ask.ts";
import { readCases, type Case } from "./case.ts";

/** Cases in one process, so that one that ends its process takes few others with it. */
const GROUP = 100;

const [folder = "", group] = process.argv.slice(2);
const results = join(folder, "results.jsonl");
const asked = await readCases(folder);

if (group === undefined) await runGroups();
else await runGroup(asked.slice(Number(group), Number(group) + GROUP));

async function runGroups(): Promise<void> {
  for (let from = 0; from < asked.length; from += GROUP) {
    for (let tries = 0; tries < GROUP; tries++) {
      const { status, signal } = spawnSync(
        process.execPath,
        [import.meta.filename, folder, String(from)],
        { stdio: "inherit" },
      );
      if (status === 0) break;
      const known = await knownNames();
      const ended = asked.slice(from, from + GROUP).find(({ name }) => !known.has(name));
      if (ended) await write({ name: ended.name, ended: signal ?? status });
    }
  }
}

async function runGroup(cases: readonly Case[]): Promise<void> {
  const known = await knownNames();
  const models = await mkdtemp(join(tmpdir(), "nearcast-backend-"));
  try {
    const apps = RUNTIMES.map((name) => ({ name, app: openApp(models, name) }));
    for (const [at, one] of cases.entries())
      if (!known.has(one.name)) await write(await resultOf(one, `case-${at}`));

    async function resultOf(one: Case, model: string): Promise<object> {
      const { name } = one;
      try {
        const { changes } = await addVersion(join(folder, `${name}.onnx`), { name: model, models });
        await writeFile(join(models, model, "release.json"), '{"stable":"1"}');
        const wrong: Record<string, string | undefined> = {};
        for (const { name: runtime, app } of apps)
          for (const form of FORMS)
            wrong[`${runtime} ${form}`] = await wrongAnswer(app, model, one, form);
        return { name, wrong, ...(changes.length > 0 && { changes }) };
      } catch (error) {
        return { name, refused: (error as Error).message.replaceAll(`${folder}/`, "") };
      }
    }
  } finally {
    await rm(models, { recursive: true, force: true });
  }
  process.exit(0);
}

async function knownNames(): Promise<Set<string>> {
  const lines = (await readFile(results, "utf8").catch(() => "")).split("\n").filter(Boolean);
  return new Set(lines.map((line) => (JSON.parse(line) as { name: string }).name));
}

async function write(result: object): Promise<void> {
  await appendFile(results, `${JSON.stringify(result)}\n`);
}
