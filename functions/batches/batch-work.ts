import { NearcastError } from "../errors.ts";
import { rowError } from "../inputs/row.ts";
import type { Perform } from "../jobs/jobs.ts";
import type { Outcome } from "../jobs/queue.ts";
import { answerChunk, AskAgain } from "./answer-chunk.ts";
import { answerRequests, type NotAsked } from "./answer-requests.ts";
import type { RowAnswer } from "./answer-rows.ts";
import { changed, hasEnded, type Batch, type BatchInput, type Requests } from "./batch.ts";
import type { Ends } from "./batch-ends.ts";
import { LANES } from "./batch-store.ts";
import { readAnswers, readChunk, writeAnswers, type Chunk } from "./chunk.ts";
import { cutFile, type Cutting } from "./cut-file.ts";
import { cutRequests } from "./cut-requests.ts";
import type { Deliver } from "../webhooks/deliver.ts";
import { dropWritings, joinLines } from "./join-lines.ts";
import { longestUploadMs } from "./store-upload.ts";

/** A chunk whose process has ended so often is given up: it may be what ends them. */
const MOST_TRIES = 5;
const GIVEN_UP_FILE = `The file was given up: ${MOST_TRIES} times the process ended that read it.`;
const GIVEN_UP_ROW = `The row was given up: ${MOST_TRIES} times the process ended that answered its chunk.`;
const GIVEN_UP_LINES = `The outputs were given up: ${MOST_TRIES} times the process ended that joined them.`;
const GIVEN_UP: NotAsked = { code: "internal", message: GIVEN_UP_ROW.replace("row", "request") };
const NOT_ASKED: Record<"canceled" | "expired", NotAsked> = {
  canceled: {
    code: "batch_cancelled",
    message: "This request was not asked before the batch was cancelled.",
  },
  expired: {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  },
};

/**
 * `<name>.keep` removes a batch when its time is over, `<name>.cut` cuts its file, `<name>.7` answers a chunk, `<name>.join`
 * joins the lines of all, `<name>.tidy-256` removes those of chunks from that one on, and `<name>.tell` tells its webhook. So
 * does every other message that finds it ended.
 */
const MESSAGE = /^([0-9a-f]{64}\.[0-9a-f-]{36})\.(keep|cut|join|tell|tidy-\d+|\d+)$/;
const TIDIED_AT_ONCE = 256;

interface WorkOptions {
  cutting: Cutting;
  ends: Ends;
  send: (message: string) => Promise<void>;
  deliver: Deliver<Batch>;
  storeExpires: boolean;
}

interface Cut {
  status: "running" | "failed";
  change: Partial<Batch>;
}

/** The work of a batch's messages. */
export function createWork({ cutting, ends, send, deliver, storeExpires }: WorkOptions) {
  const { own, platform } = cutting;
  const { finish } = ends;
  const places = { store: platform.store, timeoutMs: platform.config.storeTimeoutMs };
  const longestMs = longestUploadMs(platform.config);

  /** What the batch gets when all of its file was cut, or when it cannot be read. Undefined while there is more. */
  async function cut(name: string, batch: Batch & { input: BatchInput }): Promise<Cut | undefined> {
    const { requests } = batch;
    if (requests) {
      const found = await cutRequests(name, { ...batch, requests }, cutting);
      if (!("issues" in found)) return { status: "running", change: found };
      return { status: "failed", change: { requests: { ...requests, issues: found.issues } } };
    }
    try {
      const isWhole = await cutFile(name, batch, cutting);
      return isWhole ? { status: "running", change: {} } : undefined;
    } catch (error) {
      return { status: "failed", change: { error: rowError(error) } };
    }
  }

  async function runCut(name: string, batch: Batch, tries: number): Promise<Outcome> {
    if (tries > MOST_TRIES) {
      const error = { code: "internal", detail: GIVEN_UP_FILE };
      const issues = [{ code: "internal", message: GIVEN_UP_FILE }];
      const { requests } = batch;
      await finish(name, "failed", requests ? { requests: { ...requests, issues } } : { error });
      return "done";
    }
    if (batch.status === "queued" || !batch.input) return { retryAfterSeconds: 1 };
    if (batch.status === "validating") {
      const found = await cut(name, { ...batch, input: batch.input });
      if (!found) return { retryAfterSeconds: 0 };
      if (found.status === "failed") {
        await finish(name, "failed", found.change);
        return "done";
      }
      const all = await own.change(name, (one) =>
        one.status === "validating" ? changed(one, "running", found.change) : undefined,
      );
      if (!all) await own.sweep(name);
      if (!all || hasEnded(all)) return "done";
      batch = all;
    }
    for (let lane = 0; lane < Math.min(LANES, batch.cut.chunks); lane++)
      await send(`${name}.${lane}`);
    if (batch.input && "parts" in batch.input && batch.input.of === undefined) {
      const { parts, size, partBytes } = batch.input;
      for (let part = 0; part * partBytes < size; part++)
        await own.remove(name, `${parts}-${part}`);
    }
    return "done";
  }

  async function runChunk(
    name: string,
    batch: Batch,
    place: { chunk: number; tries: number },
    perform: Perform,
  ): Promise<Outcome> {
    const { chunk, tries } = place;
    const lane = await own.readLane(name, chunk % LANES);
    if (lane.done <= Math.floor(chunk / LANES)) {
      const bytes = await own.bytes(name, `in-${chunk}`);
      let made = await own.bytes(name, `out-${chunk}`);
      if (!made) {
        if (!bytes) return { retryAfterSeconds: 1 };
        made = await answersTo(name, batch, { chunk, tries, rows: readChunk(bytes) }, perform);
        if (!(await own.write(name, `out-${chunk}`, made, { once: true })))
          made = (await own.bytes(name, `out-${chunk}`)) ?? made;
      }
      await own.advance(name, chunk, readAnswers(made).counts);
      await own.remove(name, `in-${chunk}`);
      if (batch.requests) await own.remove(name, `some-${chunk}`);
      const now = await own.read(name);
      // It was removed meanwhile.
      if (!now) await own.sweep(name);
      if (!now || hasEnded(now)) return "done";
    } else {
      // Its process may have ended before it could do this.
      await own.remove(name, `in-${chunk}`);
    }
    if (chunk + LANES < batch.cut.chunks) await send(`${name}.${chunk + LANES}`);
    else await ends.finishIfDone(name, batch);
    return "done";
  }

  async function answersTo(
    name: string,
    batch: Batch,
    { chunk, tries, rows }: { chunk: number; tries: number; rows: Chunk },
    perform: Perform,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { requests } = batch;
    const isGivenUp = tries > MOST_TRIES;
    if (!requests) {
      const answers = isGivenUp ? givenUp(rows) : await answerChunk(batch, rows, perform);
      return writeAnswers(rows, answers);
    }
    const some = `some-${chunk}`;
    return answerRequests({ ...batch, requests }, rows, {
      perform,
      before: await own.bytes(name, some),
      keep: (answers) => own.write(name, some, answers),
      ended: async () => (isGivenUp ? GIVEN_UP : whyNotAsked((await own.read(name))?.requests)),
    });
  }

  async function runJoin(name: string, tries: number): Promise<Outcome> {
    try {
      if (tries > MOST_TRIES) throw new NearcastError("conflict", GIVEN_UP_LINES);
      const found = await joinLines(name, { own, ...places });
      if ("retryAfterSeconds" in found) return found;
      if (await finish(name, "succeeded", found)) await send(`${name}.tidy-0`);
      else await own.sweep(name);
    } catch (error) {
      await finish(name, "failed", { error: rowError(error) });
    }
    return "done";
  }

  /** Removes the lines of chunks, which are joined. */
  async function runTidy(
    name: string,
    { cut: { chunks } }: Batch,
    first: number,
  ): Promise<Outcome> {
    const end = Math.min(first + TIDIED_AT_ONCE, chunks);
    for (let chunk = first; chunk < end; chunk++) await own.remove(name, `out-${chunk}`);
    if (end < chunks) await send(`${name}.tidy-${end}`);
    return "done";
  }

  /** Removes a batch when its time is over, and an upload that never ended. */
  async function runKeep(name: string, batch: Batch): Promise<Outcome> {
    const [made] = batch.events;
    const isLost = batch.status === "queued" && (made?.at ?? 0) + longestMs < Date.now();
    const left = batch.expiresAt - Date.now();
    const told = hasEnded(batch) ? await tell(name, batch) : "done";
    if (isLost || (left <= 0 && hasEnded(batch))) {
      await ends.removeAll(name, batch);
      return "done";
    }
    if (left <= 0) await ends.expire(name, batch);
    else if (storeExpires && hasEnded(batch)) return told;
    const next = batch.status === "queued" ? longestMs : Math.max(left, 1000);
    const seconds = Math.ceil(next / 1000);
    if (told === "done") return { retryAfterSeconds: seconds };
    return { ...told, retryAfterSeconds: Math.min(seconds, told.retryAfterSeconds) };
  }

  /** Tells the webhook of a batch that has ended, if it is time. */
  async function tell(name: string, batch: Batch): Promise<Outcome> {
    const dueAt = await deliver(name, batch);
    if (dueAt === undefined) return "done";
    const seconds = Math.max(1, Math.ceil((dueAt - Date.now()) / 1000));
    return { retryAfterSeconds: seconds, hasEnded: true };
  }

  async function work(
    { name, what, tries }: { name: string; what: string; tries: number },
    batch: Batch,
    perform: Perform,
  ): Promise<Outcome> {
    if (what === "join") return runJoin(name, tries);
    if (what === "cut") return runCut(name, batch, tries);
    try {
      return await runChunk(name, batch, { chunk: Number(what), tries }, perform);
    } catch (error) {
      if (error instanceof AskAgain) return { retryAfterSeconds: error.seconds };
      throw error;
    }
  }

  return {
    owns: (message: string) => MESSAGE.test(message),
    async run(message: string, tries: number, perform: Perform): Promise<Outcome> {
      const [, name = "", what = ""] = MESSAGE.exec(message) ?? [];
      const batch = await own.read(name);
      if (!batch) {
        // It was removed, and its message may have written something since.
        await own.sweep(name);
        return "done";
      }
      if (what === "keep") return runKeep(name, batch);
      if (what.startsWith("tidy-")) return runTidy(name, batch, Number(what.slice("tidy-".length)));
      if (hasEnded(batch)) {
        if (what === "join") await dropWritings(batch, places);
        return tell(name, batch);
      }
      if (what === "tell") return "done";
      const outcome = await work({ name, what, tries }, batch, perform);
      if (outcome !== "done" || !batch.webhook) return outcome;
      const now = await own.read(name);
      return now && hasEnded(now) ? tell(name, now) : "done";
    },
  };
}

function givenUp({ inputs, errors }: Chunk): RowAnswer[] {
  return inputs.map((_, place) => ({
    error: errors[place] ?? { code: "internal", detail: GIVEN_UP_ROW },
  }));
}

function whyNotAsked(requests: Requests | undefined): NotAsked | undefined {
  return requests?.ending && NOT_ASKED[requests.ending.status];
}
