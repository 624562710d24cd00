import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import { digest } from "../digest.ts";
import { NearcastError, type ErrorCode } from "../errors.ts";
import type { Source } from "../inputs/source.ts";
import type { Store } from "./store.ts";
import type { Platform } from "../platform/types.ts";
import type { Assets, CompiledTask, Task } from "../tasks/define.ts";
import type { Tasks } from "../tasks/tasks.ts";
import { assign, type Assignment } from "./assignment.ts";
import { boundStore } from "./bounded-store.ts";
import { tightened, type Limits } from "./limits.ts";
import { createLookups } from "./lookups.ts";
import { MAX_MANIFEST_BYTES, type Manifest, type PackageFile } from "./manifest.ts";
import { NAME_PATTERN } from "./name.ts";
import {
  isNewerFormat,
  isOnTrial,
  MAX_RELEASE_BYTES,
  parseRelease,
  type Release,
} from "./release.ts";
import { MAX_STORED_SIGNATURE_BYTES, SIGNATURE_FILE, signersOf } from "./signature.ts";
import { shownExamples } from "./shown.ts";
import { createSingleFlight } from "./single-flight.ts";
import { storedVersions } from "./versions.ts";

/** One version, ready to answer: its manifest and all that is made from it. */
export interface ModelVersion {
  /** Has only the small examples: lists of models must not carry megabytes. */
  manifest: Manifest;
  task: Task;
  compiled: CompiledTask;
  limits: Limits;
}

/** The version that a call asks for. */
export interface Wanted {
  /** The version by name. The release decides when absent. */
  version?: string | undefined;
  /** The version that a header asks for. It comes before the release, and after `version`. */
  override?: string | undefined;
  /** The same key gets the same version. Without a key, the stable version answers. */
  key?: string | undefined;
  /** Told which version it is before that is read, which may fail. */
  onAssigned?: (assignment: Assignment) => void;
}

/** The version that answers, and why. */
export interface Resolved extends ModelVersion, Omit<Assignment, "version"> {}

export interface Registry {
  /**
   * A promise only where the store must be asked. It rejects with `unknown_model`, `unknown_version`, or the error from
   * reading the package.
   */
  resolve(name: string, wanted?: Wanted): Resolved | Promise<Resolved>;
  release(name: string): Promise<Release>;
  /**
   * The versions in the store, by model, sorted with `10` after `9`. With `name`, only that model's versions, and none
   * if it has no release.
   */
  versions(name?: string): Promise<Map<string, string[]>>;
  /** Reads a file of the version and checks its digest. Rejects with `model_corrupt`. */
  file(manifest: Manifest, file: PackageFile): Promise<Uint8Array>;
  /**
   * Opens a file of the version, to be read in parts. Rejects with `model_corrupt` where it is not there or has another
   * length. Its digest is not checked.
   */
  open(manifest: Manifest, file: PackageFile): Promise<Source>;
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
  /** The models that were asked for and have versions on trial, by the releases that are in memory. */
  tried(): string[];
  /** How many models could not be read when they were last asked for, because of their release or package. */
  failing(): number;
}

interface KnownRelease {
  release: Release;
  etag: string;
  readAt: number;
}

const KNOWN_MODELS = 1000;
/** The longest wait for reading an old release again. */
const REVALIDATION_TIMEOUT_MS = 1000;

/** Errors that only another release or a mended package can end. */
const BROKEN: ReadonlySet<ErrorCode> = new Set([
  "model_corrupt",
  "model_untrusted",
  "model_too_large",
]);

/** Makes the registry. It reads manifests and releases from the platform's store and keeps them in memory. */
export function createRegistry(platform: Platform, tasks: Tasks): Registry {
  const { config } = platform;
  const store = boundStore(platform.store, config.storeTimeoutMs);
  const revalidatingStore = boundStore(
    platform.store,
    Math.min(REVALIDATION_TIMEOUT_MS, config.storeTimeoutMs),
  );
  const share = createSingleFlight({
    waitUntil: platform.waitUntil,
    patienceMs: config.storeTimeoutMs * 2,
  });
  const lookups = createLookups({
    list: () => store.list(""),
    ttlMs: config.releaseTtlMs,
    patienceMs: config.storeTimeoutMs,
    isolated: platform.isolatesRequests ?? false,
    waitUntil: platform.waitUntil,
  });
  const releases = new LRUCache<string, KnownRelease>({ max: KNOWN_MODELS });
  const failing = new Set<string>();
  const versions = new LRUCache<string, ModelVersion>({
    max: KNOWN_MODELS,
    maxSize: config.sessionBudgetBytes,
    sizeCalculation: ({ manifest }) => 1 + assetBytes(manifest),
  });

  async function readRelease(name: string): Promise<KnownRelease> {
    const known = releases.get(name);
    const key = `${name}/release.json`;
    let found: Pick<KnownRelease, "release" | "etag"> | undefined;
    try {
      const answer = known
        ? await revalidatingStore.get(key, { ifNoneMatch: known.etag, maxBytes: MAX_RELEASE_BYTES })
        : await lookups.find(key, () => store.get(key, { maxBytes: MAX_RELEASE_BYTES }));
      if (answer === "not-modified") found = known;
      else if (answer) found = { release: readReleaseOf(name, answer.bytes), etag: answer.etag };
    } catch (error) {
      if (!known) throw error;
      // Storage is out of reach or has no valid release. The last known release goes on answering and is read again
      // later.
      platform.log({
        level: "warn",
        message: "release served stale",
        model: name,
        error: String(error),
      });
      found = known;
    }
    if (!found) {
      // Not kept: made-up names would push out those of real models.
      releases.delete(name);
      throw unknownModel(name);
    }
    const fresh = { ...found, readAt: Date.now() };
    releases.set(name, fresh);
    return fresh;
  }

  function readReleaseOf(name: string, bytes: Uint8Array): Release {
    const release = parsed(`release.json of ${name}`, bytes, parseRelease);
    if (isNewerFormat(release))
      platform.log({
        level: "warn",
        message: "the release has a newer format: only its stable version is used",
        model: name,
        format: release.schema,
      });
    return release;
  }

  function freshRelease(name: string): Release | undefined {
    const known = releases.get(name);
    return known && ageOf(known.readAt) < config.releaseTtlMs ? known.release : undefined;
  }

  /** Begins to read the version that the release most likely names, while the release itself is read for the first time. */
  function readExpected(name: string): void {
    const version = platform.expected?.get(name);
    if (version === undefined || releases.has(name) || versions.has(`${name}/${version}`)) return;
    readOnce(name, version, { named: false }).catch(() => undefined);
  }

  function readOnce(
    name: string,
    version: string,
    { named }: { named: boolean },
  ): Promise<ModelVersion | undefined> {
    return share(`version ${name}/${version} ${named}`, () =>
      readVersion(name, version, { named }),
    );
  }

  async function release(name: string): Promise<Release> {
    const fresh = freshRelease(name);
    if (fresh) return fresh;
    if (!NAME_PATTERN.test(name)) throw unknownModel(name);
    return (await share(`release ${name}`, () => readRelease(name))).release;
  }

  async function isReleased(name: string): Promise<boolean> {
    try {
      return (await release(name)) !== undefined;
    } catch (error) {
      if (error instanceof NearcastError && error.code === "unknown_model") return false;
      throw error;
    }
  }

  /** Reads a version's manifest, and its signatures where they are needed. */
  async function readSigned(name: string, version: string) {
    const [manifest, signatures] = await Promise.all([
      store.get(`${name}/${version}/model.json`, { maxBytes: MAX_MANIFEST_BYTES }),
      config.trustedKeys &&
        store.get(`${name}/${version}/${SIGNATURE_FILE}`, { maxBytes: MAX_STORED_SIGNATURE_BYTES }),
    ]);
    return manifest && manifest !== "not-modified" ? { ...manifest, signatures } : undefined;
  }

  /** Reads a version. `named`: a caller named it and may have made it up. Other versions are from releases. */
  async function readVersion(
    name: string,
    version: string,
    { named }: { named: boolean },
  ): Promise<ModelVersion | undefined> {
    const { trustedKeys } = config;
    const found = named
      ? await lookups.find(`${name}/${version}/model.json`, () => readSigned(name, version))
      : await readSigned(name, version);
    if (!found) return undefined;
    if (trustedKeys && !(await isTrusted(found.bytes, found.signatures, trustedKeys)))
      throw new NearcastError(
        "model_untrusted",
        `No key of TRUSTED_KEYS signed the manifest of ${name} version ${version}.`,
      );
    const what = `model.json of ${name} version ${version}`;
    const manifest = parsed(what, found.bytes, (text) => {
      const manifest = tasks.parseManifest(text);
      if (manifest.name !== name || manifest.version !== version)
        throw new Error(`it names itself ${manifest.name} version ${manifest.version}`);
      return manifest;
    });
    const assets = await readAssets(manifest);
    const limits = tightened(config.limits, manifest.limits);
    const compiled = await tasks
      .compile(manifest, {
        limits,
        assets,
        loadDecoder: platform.loadDecoder,
        decodeElsewhere: platform.decodeElsewhere,
      })
      .catch((cause: unknown) => {
        throw corrupt(`The ${what} is not valid`, cause);
      });
    const kept = { ...manifest, examples: shownExamples(manifest.examples) };
    const read = { manifest: kept, task: tasks.of(manifest), compiled, limits };
    versions.set(`${name}/${version}`, read);
    return read;
  }

  async function readAssets(manifest: Manifest): Promise<Assets> {
    if (assetBytes(manifest) >= config.sessionBudgetBytes)
      throw new NearcastError(
        "model_too_large",
        `The assets of ${manifest.name} have ${assetBytes(manifest)} bytes, the session budget is ${config.sessionBudgetBytes}. SESSION_BUDGET_MB raises it.`,
      );
    const read = (manifest.assets ?? []).map(
      async (asset) => [asset.file, await readFile(manifest, asset)] as const,
    );
    return new Map(await Promise.all(read));
  }

  async function readFile(
    { name, version }: Manifest,
    { file, bytes, sha256 }: PackageFile,
  ): Promise<Uint8Array> {
    const found = await store.get(`${name}/${version}/${file}`, { maxBytes: bytes });
    if (!found || found === "not-modified")
      throw corrupt(`${name} version ${version} has no file ${file}`);
    if (found.bytes.byteLength !== bytes || (await digest(found.bytes)) !== sha256)
      throw corrupt(`The file ${file} of ${name} version ${version} does not match its sha256`);
    return found.bytes;
  }

  async function openFile(manifest: Manifest, file: PackageFile): Promise<Source> {
    const { name, version } = manifest;
    const key = `${name}/${version}/${file.file}`;
    if (!platform.store.slice) {
      const whole = new Uint8Array(await readFile(manifest, file));
      return { size: file.bytes, slice: async (start, end) => whole.slice(start, end) };
    }
    const changed = () =>
      corrupt(
        `The file ${file.file} of ${name} version ${version} does not have ${file.bytes} bytes`,
      );
    if ((await store.size(key)) !== file.bytes) throw changed();
    return {
      size: file.bytes,
      async slice(start, end) {
        const bytes = await store.slice(key, start, end);
        if (bytes?.byteLength !== end - start) throw changed();
        return bytes as Uint8Array<ArrayBuffer>;
      },
    };
  }

  /** Adds only models that are in the store. Removes those that are no longer there. */
  function noteFailure(name: string, error: unknown): void {
    if (!(error instanceof NearcastError)) return;
    if (BROKEN.has(error.code)) failing.add(name);
    else if (error.code === "unknown_model") failing.delete(name);
  }

  /** Finds the version without the store. Undefined where the release or the version is not in memory. */
  function known(name: string, wanted: Wanted): Resolved | undefined {
    const release = freshRelease(name);
    const assignment = release && assignmentOf(release, wanted);
    const found = assignment && versions.get(`${name}/${assignment.version}`);
    if (!found) return undefined;
    wanted.onAssigned?.(assignment);
    return resolved(name, found, assignment);
  }

  async function read(name: string, asked: Wanted): Promise<Resolved> {
    const version = asked.version ?? asked.override;
    try {
      // Also read when the call names a version: it shows whether the model or only the version is unknown.
      let latest = freshRelease(name);
      if (!latest) {
        readExpected(name);
        latest = await release(name);
      }
      const assignment = assignmentOf(latest, asked);
      const wanted = assignment.version;
      if (NAME_PATTERN.test(wanted)) asked.onAssigned?.(assignment);
      // Reads the version of a release even if the store did not have it a moment ago.
      const named = version !== undefined && wanted !== latest.stable;
      const found = NAME_PATTERN.test(wanted)
        ? (versions.get(`${name}/${wanted}`) ??
          (await readOnce(name, wanted, { named })) ??
          // The first read may have begun before the version was there.
          (platform.expected?.get(name) === wanted
            ? await readOnce(name, wanted, { named })
            : undefined))
        : undefined;
      if (found) return resolved(name, found, assignment);
      if (version === undefined)
        throw corrupt(`The release of ${name} is version ${wanted}, which the store does not have`);
      throw new NearcastError(
        "unknown_version",
        `Model ${quote(name)} has no version ${quote(version)}.`,
      );
    } catch (error) {
      if (version === undefined) noteFailure(name, error);
      throw error;
    }
  }

  function resolved(name: string, found: ModelVersion, assignment: Assignment): Resolved {
    const { reason, release: chose, shadows } = assignment;
    if (failing.size > 0 && reason !== "named" && reason !== "override") failing.delete(name);
    const own: Resolved = { ...found, reason };
    if (chose) own.release = chose;
    if (shadows) own.shadows = shadows;
    return own;
  }

  return {
    release,
    resolve: (name, wanted = {}) => known(name, wanted) ?? read(name, wanted),
    async versions(name) {
      // A model without a release does not answer, so no list is needed.
      if (name !== undefined && !(await isReleased(name))) return new Map();
      return storedVersions(store, name);
    },
    file: readFile,
    open: openFile,
    // Uses the short time-out: probes do not wait for long.
    ping: () => revalidatingStore.ping(),
    tried: () =>
      [...releases.entries()].flatMap(([name, { release }]) =>
        release.candidates.some(isOnTrial) ? [name] : [],
      ),
    failing: () => failing.size,
  };
}

function assignmentOf(release: Release, { version, override, key }: Wanted): Assignment {
  const named = version ?? override;
  if (named === undefined) return assign(release, key);
  return { version: named, reason: version === undefined ? "override" : "named" };
}

function parsed<T>(what: string, bytes: Uint8Array, parse: (text: string) => T): T {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw corrupt(`The ${what} is not valid`, cause);
  }
}

async function isTrusted(
  manifest: Uint8Array,
  signatures: Awaited<ReturnType<Store["get"]>>,
  trustedKeys: readonly string[],
): Promise<boolean> {
  if (!signatures || signatures === "not-modified") return false;
  const text = new TextDecoder().decode(signatures.bytes);
  return (await signersOf(manifest, text, trustedKeys)).length > 0;
}

function assetBytes({ assets = [] }: Manifest): number {
  return assets.reduce((sum, { bytes }) => sum + bytes, 0);
}

function unknownModel(name: string): NearcastError {
  return new NearcastError("unknown_model", `There is no model ${quote(name)}.`);
}

function corrupt(detail: string, cause?: unknown): NearcastError {
  return new NearcastError("model_corrupt", `${detail}.`, { cause });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
