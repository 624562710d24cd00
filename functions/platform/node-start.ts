import { readdir, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { AuthSettings } from "../auth/settings.ts";
import { isLoopback } from "../loopback.ts";
import { ConfigurationError } from "../config-problems.ts";
import {
  exampleRequest,
  findExample,
  KEY_HEADER,
  type Exemplified,
} from "../model/example-request.ts";
import { MAX_MANIFEST_BYTES, type Manifest } from "../model/manifest.ts";
import { readRelease } from "../model/release.ts";
import { nearest } from "../near-miss.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Store } from "../model/store.ts";
import { within } from "../within.ts";

/** The facts for a server's banner. */
export interface Start {
  store: string;
  url: string;
  /** Where gRPC is, if it has a port. */
  grpcUrl?: string | undefined;
  auth: AuthSettings;
  host: string;
  /** Released versions, for an example that works. */
  models: readonly Manifest[];
}

/** The banner of a server that listens: where it is, who gets in, what to open, and a request to paste. */
export function describeStart({ store, url, grpcUrl, auth, host, models }: Start): string {
  const places = grpcUrl ? `${url} and ${grpcUrl}` : url;
  const lines = [`Nearcast serves ${store} at ${places}`, admission(auth, host)];
  if (auth.mode !== "closed")
    lines.push(
      "",
      `  ${url}/      what is served`,
      `  ${url}/docs  to read, and to try`,
      "",
      ...tryIt({ url, auth, models }),
    );
  return `${lines.join("\n")}\n`;
}

/** Who gets in, in words. */
function admission(auth: AuthSettings, host: string): string {
  if (auth.mode === "required") return "It asks for a key or token.";
  if (auth.mode === "closed")
    return `It listens on ${host} and answers nothing but health: set API_KEYS, or JWT_ISSUER and JWT_AUDIENCE, or AUTH=none to let everyone in.`;
  return isLoopback(host)
    ? "It is open, and only this machine can ask: HOST=0.0.0.0 listens everywhere."
    : `It is open to everyone who reaches ${host}: AUTH=none.`;
}

function tryIt({ url, auth, models }: Pick<Start, "url" | "auth" | "models">): string[] {
  const isKeyed = auth.mode === "required";
  const command = exampleRequest(url, models, { isKeyed });
  if (command === undefined) {
    const key = isKeyed ? [KEY_HEADER] : [];
    return ["See what is released:", `  ${["curl", `${url}/v1/models`, ...key].join(" ")}`];
  }
  return ["Try it:", `  ${command.replaceAll("\n", "\n  ")}`];
}

/** Hosts that are reached at `localhost`. The wildcard addresses include it. */
const LOCALHOST = /^(localhost|(::ffff:)?127\.0\.0\.1|::1|(::ffff:)?0\.0\.0\.0|::)$/i;

/** The URL at which this machine reaches a server that listens on `host`. */
export function urlOf(host: string, port: number): string {
  if (LOCALHOST.test(host)) return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether `STORE` is a plain path. */
export function isFolder(store: string): boolean {
  return !/^\w+:\/\//.test(store);
}

const MOST_MANIFESTS = 20;
const PATIENCE_MS = 2000;

/**
 * The manifest whose example the banner shows. Looks only at a few released versions. Never rejects: a server also
 * starts without its store.
 */
export async function releasedExample(store: Store, tasks: Tasks): Promise<Manifest | undefined> {
  const found = new Map<string, { text: string; draft: Exemplified }>();
  async function read(name: string): Promise<void> {
    const stable = (await readRelease(store, name))?.release.stable;
    const manifest =
      stable && (await store.get(`${name}/${stable}/model.json`, { maxBytes: MAX_MANIFEST_BYTES }));
    if (!manifest || manifest === "not-modified") return;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(manifest.bytes);
    found.set(name, { text, draft: { name, examples: examplesIn(text) } });
  }
  async function readAll(): Promise<void> {
    const names = (await store.list("")).flatMap(
      (key) => /^([^/]+)\/release\.json$/.exec(key)?.[1] ?? [],
    );
    await Promise.allSettled(names.slice(0, MOST_MANIFESTS).map(read));
  }
  await within(
    readAll().catch(() => undefined),
    PATIENCE_MS,
    () => undefined,
  );
  for (;;) {
    const name = findExample([...found.values()].map(({ draft }) => draft))?.model;
    const text = name !== undefined && found.get(name)?.text;
    if (!name || !text) return undefined;
    // Checks only the manifest that is shown: the schemas of all tasks would slow the start down.
    try {
      return tasks.parseManifest(text);
    } catch {
      found.delete(name);
    }
  }
}

/** The examples of a manifest that was not checked. Throws when it is not JSON. */
function examplesIn(text: string): Manifest["examples"] {
  const { examples } = JSON.parse(text) as Partial<Manifest>;
  return Array.isArray(examples) ? examples.filter((one) => typeof one === "object" && one) : [];
}

/** Rejects when the folder that `STORE` names does not exist. Names a similar folder beside it, if there is one. */
export async function checkStoreFolder(store: string): Promise<void> {
  if (!isFolder(store)) return;
  const found = await stat(store).catch(() => undefined);
  if (found?.isDirectory()) return;
  const path = resolve(store);
  if (found) throw new ConfigurationError([`STORE: ${path} is a file, not a folder of models`]);
  const beside = await readdir(dirname(path), { withFileTypes: true }).catch(() => []);
  const folders = beside.filter((one) => one.isDirectory()).map(({ name }) => name);
  const near = nearest(basename(path), folders);
  const help = near
    ? `did you mean ${near}?`
    : "it must be a folder with models, or s3://bucket/prefix";
  throw new ConfigurationError([`STORE: there is no folder ${path}: ${help}`]);
}

/** Why a server does not start: one line, or one for each bad variable. */
export function explainStartFailure(error: unknown): string {
  if (error instanceof ConfigurationError)
    return error.problems.map((problem) => `nearcast: ${problem}`).join("\n");
  return `nearcast: ${explain(error)}`;
}

const NO_ADDRESS = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"]);

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address, hostname } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
    hostname?: string;
  };
  if (code === "EADDRINUSE")
    return `Port ${port} of ${address} is taken by another program. Choose another as PORT, or GRPC_PORT, such as ${(port ?? 0) + 1}, or 0 for a free one.`;
  if (code === "EACCES" && port !== undefined)
    return `This user may not listen on port ${port}. Choose one from 1024 on, such as PORT=8787.`;
  if (code && NO_ADDRESS.has(code))
    return `HOST: ${address ?? hostname} is not an address of this machine. Use 127.0.0.1 for this machine alone, or 0.0.0.0 for all its addresses.`;
  // An error thrown on purpose says what is wrong. For a defect, its place in the code helps more.
  return error.constructor === Error ? error.message : (error.stack ?? error.message);
}
