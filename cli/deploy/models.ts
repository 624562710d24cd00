import { readdir } from "node:fs/promises";
import { readRelease } from "../../functions/model/release.ts";
import { tooLarge, type Room } from "../../functions/model/too-large.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import type { Store } from "../../functions/model/store.ts";
import { describeFailure } from "../failure.ts";
import { checkFit, measureFor } from "../fit.ts";
import { localVersions, openPackage } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";
import { describeTooLarge } from "../spillover.ts";
import { isFolder, withStore } from "../store.ts";
import type { Findings } from "./findings.ts";

export interface ModelChecks {
  models: string;
  /** The store of the deployed function. Undefined when it is not known or must not be asked. */
  store: string | undefined;
  runtime: RuntimeName;
  /** What exceeds this room is answered elsewhere, so that it need not fit. Undefined where all must fit. */
  spillsAbove?: Room | undefined;
}

/**
 * Checks that the released versions of the project are in the store and fit the platform. Gives a way to ask the store
 * again for what is released, if it can be asked.
 */
export async function checkModels(
  checks: ModelChecks,
  findings: Findings,
): Promise<(() => Promise<Released>) | undefined> {
  const { models, store } = checks;
  const local = await releasedLocally(models);
  const stored = store === undefined ? undefined : await releasedIn(store, findings);
  if (stored) checkStored(local, stored, store ?? "", findings);
  for (const [name, version] of stored ?? local)
    await checkVersion(checks, name, version, findings);
  return store === undefined || !stored ? undefined : () => withStore(store, {}, releasedVersions);
}

type Released = ReadonlyMap<string, string>;

async function releasedLocally(models: string): Promise<Released> {
  const found = await readdir(models).catch(() => undefined);
  if (!found) return new Map();
  return releasedVersions(createFolderStore(models));
}

async function releasedIn(url: string, findings: Findings): Promise<Released | undefined> {
  try {
    return await withStore(url, {}, releasedVersions);
  } catch (error) {
    const why = describeFailure(error);
    if (isMissingCredentials(error)) {
      findings.notes.push(`${url} was not looked at: ${why}`);
      return undefined;
    }
    findings.problems.push({
      what: `${url} could not be read: ${why}`,
      fix: "Make the bucket, or correct the credentials and the name.",
    });
    return undefined;
  }
}

function isMissingCredentials(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "CredentialsProviderError" || /CLOUDFLARE_ACCOUNT_ID/.test(error.message);
}

/** The released version of each model of a store. */
export async function releasedVersions(store: Store): Promise<Released> {
  const released = new Map<string, string>();
  for (const name of (await storedVersions(store)).keys()) {
    const found = await readRelease(store, name);
    if (found) released.set(name, found.release.stable);
  }
  return released;
}

function checkStored(local: Released, stored: Released, store: string, findings: Findings): void {
  const missing = [...local.keys()].filter((name) => !stored.has(name));
  if (missing.length > 0)
    findings.problems.push({
      what: `${store} has no released version of ${missing.join(", ")}, which this project releases.`,
      fix: `npx nearcast push --all --release --to ${store}`,
    });
  else if (stored.size === 0)
    findings.problems.push({
      what: `${store} has no released model: the function would have nothing to answer.`,
      fix: `Add one to models/, then: npx nearcast push --all --release --to ${store}`,
    });
}

async function checkVersion(
  { models, runtime, spillsAbove }: ModelChecks,
  name: string,
  version: string,
  findings: Findings,
): Promise<void> {
  const label = `${name}@${version}`;
  if (!(await localVersions(models, name)).includes(version)) {
    findings.notes.push(`${label} is not in ${models}: whether it fits was not measured.`);
    return;
  }
  try {
    const local = await openPackage(models, { name, version });
    const over = spillsAbove && tooLarge(local.manifest, spillsAbove);
    if (over)
      findings.notes.push(
        `${label} is too large for the Worker, since ${describeTooLarge(over)}. SPILL_URL answers it.`,
      );
    else await checkFit(local, await measureFor(local, [runtime]));
  } catch (error) {
    findings.problems.push({
      what: describeFailure(error),
      fix: `Publish a version that is right and fits, or roll it back: npx nearcast rollback ${name}`,
    });
  }
}

/** Whether a store can be asked for releases. A folder inside the function cannot. */
export function isRemote(store: unknown): store is string {
  return typeof store === "string" && !isFolder(store);
}
