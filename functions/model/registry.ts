import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import { tightened, type Limits } from "../config.ts";
import { digest } from "../digest.ts";
import { NearcastError } from "../errors.ts";
import type { Platform, Store } from "../platform/types.ts";
import { compileTask } from "../tasks/built-in.ts";
import type { Assets, CompiledTask } from "../tasks/define.ts";
import { boundStore } from "./bounded-store.ts";
import { NAME_PATTERN, parseManifest, type Manifest, type PackageFile } from "./manifest.ts";
import { parseRelease, type Release } from "./release.ts";
import { SIGNATURE_FILE, signersOf } from "./signature.ts";
import { createSingleFlight } from "./single-flight.ts";

/** One version, ready to be asked: its manifest with everything derived from it. */
export interface Model {
  manifest: Manifest;
  task: CompiledTask;
  limits: Limits;
}

export interface Registry {
  /** The model's released version, or the named one. Rejects with `unknown_model` or `unknown_version`. */
  resolve(name: string, version?: string): Promise<Model>;
  release(name: string): Promise<Release>;
  /** The versions in the store by model, those of one model when it is named; sorted, `10` after `9`. */
  versions(name?: string): Promise<Map<string, string[]>>;
  /** The bytes of a file of the package, their digest checked. Rejects with `model_corrupt`. */
  file(manifest: Manifest, file: PackageFile): Promise<Uint8Array>;
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
}

interface KnownRelease {
  release: Release;
  etag: string;
  readAt: number;
}

const KNOWN_MODELS = 1000;
/** A release that is known, only older than its time to live, is not worth a long wait. */
const REVALIDATION_TIMEOUT_MS = 1000;

/** The registry reads manifests and releases from the platform's store and keeps them in memory. */
export function createRegistry(platform: Platform): Registry {
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
  const releases = new LRUCache<string, KnownRelease>({ max: KNOWN_MODELS });
  const models = new LRUCache<string, Model>({
    max: KNOWN_MODELS,
    maxSize: config.sessionBudgetBytes,
    sizeCalculation: ({ manifest }) => 1 + assetBytes(manifest),
  });

  async function readRelease(name: string): Promise<KnownRelease> {
    const known = releases.get(name);
    const read = known ? revalidatingStore : store;
    let found: Pick<KnownRelease, "release" | "etag"> | undefined;
    try {
      const answer = await read.get(`${name}/release.json`, { ifNoneMatch: known?.etag });
      if (answer === "not-modified") found = known;
      else if (answer)
        found = {
          release: parsed(`release.json of ${name}`, answer.bytes, parseRelease),
          etag: answer.etag,
        };
    } catch (error) {
      if (!known) throw error;
      // Storage is out of reach, or what it has is no release: what was released last goes on answering,
      // and is asked for again later.
      platform.log({
        level: "warn",
        message: "release served stale",
        model: name,
        error: String(error),
      });
      found = known;
    }
    if (!found) {
      // Not kept: the names that clients make up would push out those of real models.
      releases.delete(name);
      throw unknownModel(name);
    }
    const fresh = { ...found, readAt: Date.now() };
    releases.set(name, fresh);
    return fresh;
  }

  function freshRelease(name: string): Release | undefined {
    const known = releases.get(name);
    return known && ageOf(known.readAt) < config.releaseTtlMs ? known.release : undefined;
  }

  async function release(name: string): Promise<Release> {
    const fresh = freshRelease(name);
    if (fresh) return fresh;
    if (!NAME_PATTERN.test(name)) throw unknownModel(name);
    return (await share(`release ${name}`, () => readRelease(name))).release;
  }

  async function readModel(name: string, version: string): Promise<Model | undefined> {
    const { trustedKeys } = config;
    const [found, signatures] = await Promise.all([
      store.get(`${name}/${version}/model.json`),
      trustedKeys && store.get(`${name}/${version}/${SIGNATURE_FILE}`),
    ]);
    if (!found || found === "not-modified") return undefined;
    if (trustedKeys && !(await isTrusted(found.bytes, signatures, trustedKeys)))
      throw new NearcastError(
        "model_untrusted",
        `No key of TRUSTED_KEYS signed the manifest of ${name} version ${version}.`,
      );
    const what = `model.json of ${name} version ${version}`;
    const manifest = parsed(what, found.bytes, (text) => {
      const manifest = parseManifest(text);
      if (manifest.name !== name || manifest.version !== version)
        throw new Error(`it names itself ${manifest.name} version ${manifest.version}`);
      return manifest;
    });
    const assets = await readAssets(manifest);
    const limits = tightened(config.limits, manifest.limits);
    const task = await compileTask(manifest, limits, assets).catch((cause: unknown) => {
      throw corrupt(`The ${what} is not valid`, cause);
    });
    const model = { manifest, task, limits };
    models.set(`${name}/${version}`, model);
    return model;
  }

  async function readAssets(manifest: Manifest): Promise<Assets> {
    if (assetBytes(manifest) >= config.sessionBudgetBytes)
      throw new NearcastError(
        "model_too_large",
        `The assets of ${manifest.name} have ${assetBytes(manifest)} bytes, the session budget is ${config.sessionBudgetBytes}.`,
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
    const found = await store.get(`${name}/${version}/${file}`);
    if (!found || found === "not-modified")
      throw corrupt(`${name} version ${version} has no file ${file}`);
    if (found.bytes.byteLength !== bytes || (await digest(found.bytes)) !== sha256)
      throw corrupt(`The file ${file} of ${name} version ${version} does not match its sha256`);
    return found.bytes;
  }

  return {
    release,
    async resolve(name, version) {
      // Also asked when a version is named: it tells an unknown model from an unknown version.
      const { stable } = freshRelease(name) ?? (await release(name));
      const wanted = version ?? stable;
      const model = NAME_PATTERN.test(wanted)
        ? (models.get(`${name}/${wanted}`) ??
          (await share(`model ${name}/${wanted}`, () => readModel(name, wanted))))
        : undefined;
      if (model) return model;
      if (version === undefined)
        throw corrupt(`The release of ${name} is version ${stable}, which the store does not have`);
      throw new NearcastError(
        "unknown_version",
        `Model ${quote(name)} has no version ${quote(version)}.`,
      );
    },
    async versions(name) {
      // In a folder, `../..` would be read with all that is below it.
      if (name !== undefined && !NAME_PATTERN.test(name)) return new Map();
      const keys = await store.list(name === undefined ? "" : `${name}/`);
      const versions = new Map<string, string[]>();
      for (const key of keys.toSorted(new Intl.Collator("en", { numeric: true }).compare)) {
        // The manifest is pushed last: without it there is no version yet.
        const [, model, version] = /^([^/]+)\/([^/]+)\/model\.json$/.exec(key) ?? [];
        if (model && version) versions.set(model, [...(versions.get(model) ?? []), version]);
      }
      return versions;
    },
    file: readFile,
    async ping() {
      // Any answer will do, and this key is never there. The short bound: probes do not wait for long.
      await revalidatingStore.head("release.json");
    },
  };
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
  const signers = await signersOf(manifest, new TextDecoder().decode(signatures.bytes));
  return signers.some((key) => trustedKeys.includes(key));
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
