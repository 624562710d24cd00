import { DurableObject } from "cloudflare:workers";
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Candidate } from "../model/release.ts";
import { readRolloutWatchMs } from "../config.ts";
import { readEvidence } from "../rollout/evidence.ts";
import { watchModel, type Look } from "../rollout/watch.ts";
import { within } from "../within.ts";
import type { Batch } from "./counters/gathered.ts";
import { createStoredNotes } from "./notes/stored-notes.ts";
import { createStoredSums } from "./counters/stored-sums.ts";
import { createR2Store } from "./store/r2.ts";
import { parseStoreUrl } from "./store/url.ts";
import { secretsSchema } from "../webhooks/secrets.ts";
import { webhookFetch } from "./webhook-fetch.ts";

/** The parts of the Worker's environment that an object needs. */
interface Environment extends Record<string, unknown> {
  STORE?: string;
  WEBHOOK_SECRET?: string;
}

const MODEL = "model";
const DEFAULT_STORE = "r2://MODELS";
/** How often at most it looks while nothing can change but the release itself. Each look reads the bucket. */
const SETTLED_MS = 600_000;
/** The longest time for one look, its notice included. */
const LOOK_MS = 60_000;

/**
 * What all isolates of a Worker know of one model: a Durable Object of the model's name, or "*" for what belongs to no
 * model. It is bound as `MODEL_STATE`, and the Worker's entry exports it. While a version is on trial, its alarm looks at
 * what was counted.
 */
export class ModelState extends DurableObject<Environment> {
  readonly #notes = createStoredNotes(this.ctx.storage.kv);
  readonly #sums = createStoredSums(this.ctx.storage.kv);
  readonly #watchMs = readRolloutWatchMs(this.env);

  /** Adds a batch of an isolate. */
  async add(batch: Batch): Promise<void> {
    const onTrial = batch.groups.filter(({ name }) => name.startsWith("rollout/"));
    // The first counts of a share: the release has changed.
    const isNew = onTrial.some(({ name }) => this.#sums.read(name).size === 0);
    this.#sums.add(batch);
    if (onTrial.length === 0) return;
    this.ctx.storage.kv.put(MODEL, batch.model);
    if (isNew || (await this.ctx.storage.getAlarm()) === null) await this.#lookAfter(this.#watchMs);
  }

  putNote(key: string, text: string, keptSeconds: number): void {
    this.#notes.put(key, text, keptSeconds);
  }

  getNote(key: string): string | undefined {
    return this.#notes.get(key);
  }

  replaceNote(key: string, text: string, next: string, keptSeconds: number): boolean {
    return this.#notes.replace(key, text, next, keptSeconds);
  }

  deleteNote(key: string): boolean {
    return this.#notes.delete(key);
  }

  /** The sums of the group of this name. */
  read(name: string): Map<string, number> {
    return this.#sums.read(name);
  }

  /** Looks at the model's versions on trial, and again later while there are any. */
  async alarm(): Promise<void> {
    const model = this.ctx.storage.kv.get<string>(MODEL);
    if (model === undefined) return;
    let look: Look | undefined;
    try {
      look = await within(watchModel(this.#watched(), model), LOOK_MS, tooLate);
    } catch (error) {
      const message = "rollout: this look failed, and the next one decides";
      log({ level: "error", message, model, error: String(error) });
    }
    if (look === "idle") return;
    const isSettled = look === "settled" && this.#watchMs > 0;
    await this.#lookAfter(isSettled ? Math.max(this.#watchMs, SETTLED_MS) : this.#watchMs);
  }

  /** Never with 0. */
  async #lookAfter(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await this.ctx.storage.setAlarm(Date.now() + milliseconds);
  }

  #watched() {
    const { bucket, prefix } = parseStoreUrl(this.env.STORE ?? DEFAULT_STORE);
    const counters = { read: async ({ name }: { name: string }) => this.#sums.read(name) };
    return {
      store: createR2Store(this.env[bucket] as R2Bucket, prefix),
      evidenceOf: (model: string, candidate: Candidate) => readEvidence(counters, model, candidate),
      post: webhookFetch.post,
      secrets: async () => {
        const { WEBHOOK_SECRET } = this.env;
        return WEBHOOK_SECRET ? (secretsSchema.parse(WEBHOOK_SECRET).get("*") ?? []) : [];
      },
      log,
      by: "nearcast on cloudflare",
    };
  }
}

function tooLate(): never {
  throw new Error(`it took more than ${LOOK_MS / 1000} s`);
}

const log = (entry: Record<string, unknown>) =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
