import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../functions/model/store.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { addCommand } from "../commands/add.ts";
import { baselineCommand } from "../commands/baseline.ts";
import { verifyCommand } from "../commands/verify.ts";
import { MANIFEST_FILE } from "../package-folder.ts";
import { releaseNote, releaseVersion } from "../releases.ts";
import { replaceFile } from "../replace-file.ts";
import { runAlone } from "../run-alone.ts";
import { digestOf, type Recipe } from "./recipe.ts";

/** The publisher's own field of a manifest that says what a version was trained from. */
const DIGEST = "x-trained-from";

/**
 * Trains a model by its recipe, and makes its next version, unless the store or the models folder has a version that was
 * trained from the same bytes. Gives a line that says what happened.
 */
export async function train(
  models: string,
  name: string,
  recipe: Recipe,
  store: Store,
): Promise<string> {
  const folder = join(models, name);
  const digest = await digestOf(folder, recipe);
  const versions = new Set<string>();
  for (const place of [store, createFolderStore(models)])
    for (const version of (await storedVersions(place, name)).get(name) ?? []) {
      if ((await trainedFrom(place, name, version)) === digest)
        return `${name}: nothing has changed since ${name}@${version} was trained.`;
      versions.add(version);
    }

  console.log(`${name}: ${recipe.run}`);
  await shell(recipe.run, folder);
  const numbers = [...versions].filter((text) => /^\d+$/.test(text)).map(Number);
  const version = String(Math.max(0, ...numbers) + 1);
  const reference = `${name}@${version}`;
  const where = ["--models", models];
  const artifact = join(folder, recipe.artifact);
  const own = ["--name", name, "--version", version];
  await runAlone(addCommand, ["add", artifact, ...own, ...where, ...recipe.add]);
  const path = join(folder, version, MANIFEST_FILE);
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const whole = { ...manifest, ...recipe.manifest, [DIGEST]: digest };
  await replaceFile(path, `${JSON.stringify(whole, undefined, 2)}\n`);
  if (recipe.baseline !== undefined) {
    const data = ["--data", join(folder, recipe.baseline)];
    await runAlone(baselineCommand, ["baseline", reference, ...data, ...where]);
  }
  await runAlone(verifyCommand, ["verify", reference, "--record", ...where]);
  // What the project means to have answer, as `push --release` and `ship` read it.
  await releaseVersion(createFolderStore(models), name, version, releaseNote({ why: "trained" }));
  return `${reference} is trained.`;
}

async function trainedFrom(store: Store, name: string, version: string): Promise<unknown> {
  const found = await store.get(`${name}/${version}/${MANIFEST_FILE}`);
  if (!found || found === "not-modified") return undefined;
  const manifest = JSON.parse(new TextDecoder().decode(found.bytes)) as Record<string, unknown>;
  return manifest[DIGEST];
}

/** What a training does not need to see: it runs what pip installs. */
const SECRET =
  /^(NEARCAST_KEY|NEARCAST_SIGNING_KEY|CLOUDFLARE_API_TOKEN|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|WEB_IDENTITY_TOKEN_FILE)|ACTIONS_ID_TOKEN_REQUEST_(TOKEN|URL))$/;

async function shell(line: string, cwd: string): Promise<void> {
  const open = Object.entries(process.env).filter(([name]) => !SECRET.test(name));
  const env = Object.fromEntries(open);
  const child = spawn(line, { cwd, shell: true, stdio: "inherit", env });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${line} ended with ${code}.`);
}
