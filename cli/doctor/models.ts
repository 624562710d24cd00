import type { Config } from "../../functions/config.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { FORMAT, readRelease, type Release } from "../../functions/model/release.ts";
import { sessionBytes } from "../../functions/model/session-bytes.ts";
import { tooLarge, type Room, type TooLarge } from "../../functions/model/too-large.ts";
import { SIGNATURE_FILE, signersOf } from "../../functions/model/signature.ts";
import type { Store } from "../../functions/model/store.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { describeFailure } from "../failure.ts";
import { mebibytes, packageBytes } from "../fit.ts";
import { describeTooLarge } from "../spillover.ts";
import { MANIFEST_FILE } from "../package-folder.ts";
import { isFolder } from "../store.ts";
import { readManifest } from "../stored-manifest.ts";
import { findingsAt, type Finding } from "./finding.ts";
import type { LookingUp } from "./sources.ts";

const DAY_MS = 86_400_000;
const STUCK_DAYS = 14;
const OLD_DAYS = 365;
const MIB = 1024 * 1024;

export interface StoredModels {
  findings: Finding[];
  /** Whether a model is on trial, or keeps inputs. Somebody must look at them by the clock. */
  isWatched: boolean;
  /** The released versions that look up features. */
  lookingUp: LookingUp[];
}

/** Looks at what is released in the store: whether it is there, fits, is signed, and is not forgotten. */
export async function checkStore(
  store: Store,
  url: string,
  config: Pick<Config, "runtime" | "sessionBudgetBytes" | "trustedKeys" | "spill">,
  { isolate, now }: Pick<Room, "isolate"> & { now: number },
): Promise<StoredModels> {
  const { wrong, unwise } = findingsAt(url);
  const findings: Finding[] = [];
  const lookingUp: LookingUp[] = [];
  let isWatched = false;
  let sum = 0;
  let released = 0;
  for (const name of (await storedVersions(store)).keys()) {
    const found = await readRelease(store, name).catch((error: Error) => error);
    if (found instanceof Error) {
      const again = `npx nearcast release ${name}@VERSION --store ${url}`;
      const fix = `Put back an earlier version of that file, or remove it, and: ${again}`;
      findings.push(wrong(`${name}/release.json: ${describeFailure(found)}`, fix));
    }
    if (!found || found instanceof Error) continue;
    released += 1;
    const { release } = found;
    findings.push(...checkRelease(name, release, url, now));
    for (const version of [release.stable, ...release.candidates.map((one) => one.version)]) {
      const label = `${name}@${version}`;
      try {
        const manifest = await readManifest(store, name, version);
        if (!manifest)
          findings.push(
            wrong(`${label} is released and not there.`, `npx nearcast push ${label} --to ${url}`),
          );
        else {
          const over = tooLarge(manifest, { ...config, isolate });
          const spills = over !== undefined && config.spill.url !== undefined;
          if (!spills) sum += bytesOf(manifest, config.runtime);
          if (over) findings.push(sizeFinding(manifest, over, { url, spills }));
          findings.push(...(await checkSigned(store, manifest, config.trustedKeys, url)));
          if (manifest.lookup) lookingUp.push({ label, lookup: manifest.lookup });
          isWatched ||= release.candidates.length > 0 || manifest.capture !== undefined;
        }
      } catch (error) {
        findings.push(
          wrong(describeFailure(error), `npx nearcast rollback ${name} --store ${url}`),
        );
      }
    }
  }
  if (released === 0)
    findings.push(
      wrong(
        "No model is released: there is nothing to answer.",
        `npx nearcast push --all --release --to ${url}`,
      ),
    );
  if (sum > config.sessionBudgetBytes)
    findings.push(
      unwise(
        `The released models take ${mebibytes(sum)} together, and SESSION_BUDGET_MB is ${config.sessionBudgetBytes / MIB}: they would be loaded again and again.`,
        "Raise SESSION_BUDGET_MB where there is memory, or release fewer models there.",
      ),
    );
  return { findings, isWatched, lookingUp };
}

function checkRelease(name: string, release: Release, url: string, now: number): Finding[] {
  const { unwise } = findingsAt(url);
  const findings: Finding[] = [];
  const days = (at: string | undefined) => (at === undefined ? 0 : (now - Date.parse(at)) / DAY_MS);
  // A folder's release may be written by hand.
  if (release.schema < FORMAT && !isFolder(url))
    findings.push(
      unwise(
        `${name}/release.json has format ${release.schema}, which knows no rollouts.`,
        `The next npx nearcast release or rollout of ${name} writes format ${FORMAT}.`,
      ),
    );
  if (release.schema > FORMAT)
    findings.push(
      unwise(
        `${name}/release.json has format ${release.schema}; this version knows ${FORMAT} and serves \`stable\` alone.`,
        "npm update nearcast, and deploy again.",
      ),
    );
  const age = days(release.history[0]?.at);
  if (age > OLD_DAYS)
    findings.push(
      unwise(
        `${name}@${release.stable} was released ${Math.floor(age)} days ago.`,
        `npx nearcast drift ${name} says whether its inputs have changed since it was trained.`,
      ),
    );
  for (const { version, segments } of release.candidates) {
    const since = days(segments[0]?.since);
    if (since > STUCK_DAYS)
      findings.push(
        unwise(
          `${name}@${version} has been on trial for ${Math.floor(since)} days.`,
          `npx nearcast status ${name} --store ${url}, then promote or abort it.`,
        ),
      );
  }
  return findings;
}

function bytesOf(manifest: Manifest, runtime: "native" | "wasm"): number {
  return sessionBytes(manifest, packageBytes(manifest), { name: runtime });
}

function sizeFinding(
  { name, version }: Manifest,
  over: TooLarge,
  { url, spills }: { url: string; spills: boolean },
): Finding {
  const { wrong, unwise, note } = findingsAt(url);
  const what = `${name}@${version} is too large, since ${describeTooLarge(over)}`;
  if (spills) return note(`${what}. SPILL_URL answers it.`);
  const smaller = `make it smaller: npx nearcast optimize ${name}, or quantize`;
  if (over.isEstimate)
    return unwise(`${what}. To load it may end the isolate.`, `Set SPILL_URL, or ${smaller}`);
  const raise =
    over.what === "files" ? "Raise SESSION_BUDGET_MB where there is memory" : "Set SPILL_URL";
  return wrong(`${what}: it is answered with 507.`, `${raise}, or ${smaller}`);
}

async function checkSigned(
  store: Store,
  { name, version }: Manifest,
  trusted: readonly string[] | undefined,
  url: string,
): Promise<Finding[]> {
  if (!trusted) return [];
  const read = async (file: string) => {
    const found = await store.get(`${name}/${version}/${file}`);
    return found && found !== "not-modified" ? found.bytes : new Uint8Array();
  };
  const lines = new TextDecoder().decode(await read(SIGNATURE_FILE));
  if ((await signersOf(await read(MANIFEST_FILE), lines, trusted)).length > 0) return [];
  return [
    findingsAt(url).wrong(
      `${name}@${version} is not signed by a key of TRUSTED_KEYS: it is not served.`,
      `npx nearcast sign ${name}@${version}, and push it again.`,
    ),
  ];
}
