import * as z from "zod";
import type { Store } from "../platform/types.ts";
import { NAME_PATTERN } from "./manifest.ts";

const version = z.string().regex(NAME_PATTERN);

const event = z.strictObject({
  version,
  /** Absent for a release that was written by hand before there was a history. */
  at: z.iso.datetime().optional(),
  by: z.string().optional(),
  why: z.string().optional(),
});

const releaseSchema = z.strictObject({
  /** The version that answers when a request names none. */
  stable: version,
  /** What was released, newest first. */
  history: z.array(event).default([]),
});

export type Release = z.infer<typeof releaseSchema>;
export type ReleaseEvent = z.infer<typeof event>;

const HISTORY_LIMIT = 100;
const ATTEMPTS = 3;

/** Reads `release.json`; throws an Error that says what is wrong with it. */
export function parseRelease(text: string): Release {
  const result = releaseSchema.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(z.prettifyError(result.error));
  return result.data;
}

/** The model's release with the ETag to change it by; undefined when nothing was released yet. */
export async function readRelease(
  store: Store,
  model: string,
): Promise<{ release: Release; etag: string } | undefined> {
  const found = await store.get(keyOf(model));
  if (!found || found === "not-modified") return undefined;
  return { release: parseRelease(new TextDecoder().decode(found.bytes)), etag: found.etag };
}

/**
 * Changes the release by compare-and-swap: `decide` sees what is released and gives what shall be, or
 * throws. Of two changes at once one is written and the other throws. A write that the store refused
 * though the release is still the one decided on is tried again.
 */
export async function changeRelease(
  store: Store,
  model: string,
  decide: (current: Release | undefined) => ReleaseEvent | Promise<ReleaseEvent>,
): Promise<Release> {
  const current = await readRelease(store, model);
  const next = await decide(current?.release);
  const release: Release = {
    stable: next.version,
    history: [next, ...pastOf(current?.release)].slice(0, HISTORY_LIMIT),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(release, undefined, 2)}\n`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const written = await store.put(
      keyOf(model),
      bytes,
      current ? { ifMatch: current.etag } : { ifNoneMatch: "*" },
    );
    if (written) return release;
    const now = await readRelease(store, model);
    // Written after all: the answer to an earlier attempt was lost on the way.
    if (now && JSON.stringify(now.release) === JSON.stringify(release)) return release;
    if (now?.etag !== current?.etag) break;
  }
  const winner = (await readRelease(store, model))?.release;
  const by = winner?.history[0]?.by;
  throw new Error(
    `Another release of ${model} happened at the same time; version ${winner?.stable ?? "?"} answers${by ? `, released by ${by}` : ""}. Nothing was changed.`,
  );
}

function pastOf(current: Release | undefined): ReleaseEvent[] {
  if (!current) return [];
  const { stable, history } = current;
  return history[0]?.version === stable ? history : [{ version: stable }, ...history];
}

function keyOf(model: string): string {
  return `${model}/release.json`;
}
