import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readRelease, type Release } from "../functions/model/release.ts";
import type { Store } from "../functions/model/store.ts";
import { createFolderStore } from "../functions/platform/store/folder.ts";
import { chooseVersion } from "./choose-versions.ts";
import { describeFailure } from "./failure.ts";
import { judge } from "./evaluate/gate.ts";
import { readExamples } from "./examples/files.ts";
import { withReleasedVersion } from "./fetch-version.ts";
import { label, MANIFEST_FILE, type LocalPackage } from "./package-folder.ts";
import { pushPackage } from "./push.ts";
import { releaseVersion, rollbackRelease, type ReleaseNote } from "./releases.ts";
import { abortTrial, refuseSecond, startTrial, type PolicyChange } from "./rollouts.ts";
import { signPackage } from "./sign.ts";
import { smokeVersion, type SmokeOptions } from "./smoke.ts";
import { verifyPackage } from "./verify.ts";

export interface ShipOptions {
  models: string;
  /** Judges and checks, and writes nothing. */
  dryRun: boolean;
  tolerance: number;
  minGain: number;
  metric?: string;
  /** A private key as PEM, which signs what is shipped. */
  signingKey?: string;
  /** Shares that a version gets one after the other. It is released at once when absent. */
  steps?: NonNullable<PolicyChange["steps"]>;
  note: ReleaseNote;
  /** The deployment to ask afterwards. */
  deployment?: SmokeOptions;
}

const HELD_OUT = ["heldout.jsonl", "heldout.csv"];

/**
 * Takes the version of a model that should answer from the models folder to a store: verifies it on both runtimes,
 * judges it against the released one, signs, pushes and releases it, and asks the deployment for it. If that fails, the
 * version before answers again. Gives lines as it goes. Rejects where it stops.
 */
export async function* ship(
  store: Store,
  name: string,
  options: ShipOptions,
): AsyncGenerator<string> {
  const local = await candidate(name, options);
  const version = label(local.manifest);
  const release = (await readRelease(store, name))?.release;
  if (release && hasSeen(release, local.manifest.version)) {
    await checkSame(store, local);
    return yield `${version} was released or tried in the store before: nothing to ship.`;
  }
  const onTrial = options.steps !== undefined && release !== undefined;
  if (onTrial) refuseSecond(release, local.manifest.version, name);
  await verifyPackage(local, {
    runtimes: ["native", "wasm"],
    tolerance: options.tolerance,
    record: false,
  });
  yield `${version} is good to publish.`;
  yield await gate(store, local, options);
  if (options.dryRun)
    return yield `${version} would be pushed and ${onTrial ? "put on trial" : "released"}.`;

  if (options.signingKey !== undefined) {
    const key = { pem: options.signingKey, source: "NEARCAST_SIGNING_KEY" };
    yield `${version} is signed: ${await signPackage(local, key)}`;
  }
  await pushPackage(local, store, { start: () => undefined, done: () => undefined });
  if (onTrial) await begin(store, local, options);
  else await releaseVersion(store, name, local.manifest.version, options.note);
  yield onTrial ? `${version} is on trial.` : `${version} is released.`;
  if (options.deployment)
    yield await askOrGoBack(store, local, { ...options, deployment: options.deployment, onTrial });
}

/** The version that the models folder's own release names, else the newest that is no draft. */
async function candidate(name: string, { models }: ShipOptions): Promise<LocalPackage> {
  const meant = (await readRelease(createFolderStore(models), name))?.release.stable;
  const reference = { name, ...(meant !== undefined && { version: meant }) };
  const { chosen } = await chooseVersion(models, reference);
  return chosen[0] as LocalPackage;
}

function hasSeen({ stable, candidates, history }: Release, version: string): boolean {
  return [stable, ...[...candidates, ...history].map((one) => one.version)].includes(version);
}

/** Throws if the store has another model by this name and version. */
async function checkSame(store: Store, { folder, manifest }: LocalPackage): Promise<void> {
  const stored = await store.get(`${manifest.name}/${manifest.version}/${MANIFEST_FILE}`);
  if (!stored || stored === "not-modified") return;
  if (!(await readFile(join(folder, MANIFEST_FILE))).equals(stored.bytes))
    throw new Error(
      `${label(manifest)} in the store is another one: its ${MANIFEST_FILE} differs. Give the new one another version.`,
    );
}

/** Throws if the version is worse than the released one, or if there is nothing to judge by. */
function gate(store: Store, local: LocalPackage, options: ShipOptions): Promise<string> {
  const { name } = local.manifest;
  return withReleasedVersion(store, name, async (released) => {
    if (!released)
      return `${name} was never released there, so there is nothing to be better than.`;
    const data = HELD_OUT.map((file) => join(options.models, name, file)).find(existsSync);
    if (data === undefined)
      throw new Error(
        `${label(local.manifest)} cannot be judged against ${label(released.manifest)}: ${join(options.models, name)} has neither ${HELD_OUT.join(" nor ")}. Nothing was pushed.`,
      );
    const verdict = await judge(local, released, { ...options, data, runtime: "native", k: 10 });
    if (!verdict.passed) throw new Error(`${verdict.text} Nothing was pushed.`);
    return verdict.text;
  });
}

async function begin(store: Store, { manifest }: LocalPackage, options: ShipOptions) {
  const { steps, note } = options;
  const percent = steps?.percents[0] ?? 0;
  const policy = { ...(steps && { steps }), rollback: {}, tolerance: {} };
  await startTrial(store, manifest.name, manifest.version, { share: { percent }, policy }, note);
}

async function askOrGoBack(
  store: Store,
  local: LocalPackage,
  { deployment, onTrial, note }: ShipOptions & { deployment: SmokeOptions; onTrial: boolean },
): Promise<string> {
  const { manifest } = local;
  const { name, version } = manifest;
  try {
    const known = await readExamples(local);
    return await smokeVersion(deployment, { name, version, onTrial, known });
  } catch (cause) {
    const back = { ...note, why: `the smoke test of ${version} failed` };
    const release = await (
      onTrial
        ? abortTrial(store, name, version, back)
        : rollbackRelease(store, name, { ...back, from: version })
    ).catch((error: unknown) => {
      throw new Error(
        `${label(manifest)} fails at ${deployment.url}, and was not taken back: ${describeFailure(cause)} ${describeFailure(error)}`,
        { cause },
      );
    });
    const before = { name, version: release.stable, onTrial: false };
    const again = await smokeVersion(deployment, before).then(
      () => `${label(before)} answers again.`,
      (error: unknown) =>
        `${label(before)} is released again, and fails too: ${describeFailure(error)}`,
    );
    throw new Error(
      `${label(manifest)} fails at ${deployment.url}: ${describeFailure(cause)} ${again}`,
      { cause },
    );
  }
}
