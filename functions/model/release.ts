import * as z from "zod";
import type { Store } from "./store.ts";
import { NAME_PATTERN } from "./name.ts";

const version = z.string().regex(NAME_PATTERN);
const percent = z.number().min(0).max(100);

const event = z.looseObject({
  version,
  at: z.iso.datetime().optional().describe("Absent when the file was written by hand."),
  by: z.string().optional(),
  why: z.string().optional(),
});

const candidate = z.union([
  z.looseObject({ version, percent: percent.describe("Its share of the traffic.") }),
  z.looseObject({
    version,
    shadow: percent.describe("The share of the traffic of which it gets a copy."),
  }),
]);

/** The newest format that this code knows. It writes this one. */
const FORMAT = 2;

// Allows unknown fields: a file from a newer Nearcast must not take a model down.
export const releaseSchema = z.looseObject({
  schema: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe("The format of this file. Format 1 has only `stable` and `history`."),
  revision: z.number().int().min(0).default(0).describe("How often the release was changed."),
  stable: version.describe("The version that answers when a request names none."),
  candidates: z.array(candidate).default([]).describe("Versions on trial."),
  salt: z
    .string()
    .default("")
    .describe("Decides which key gets which candidate. Another salt gives another decision."),
  policy: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("The rules for taking a candidate back."),
  history: z.array(event).default([]).describe("Earlier releases, newest first."),
});

export type Release = z.infer<typeof releaseSchema>;
export type ReleaseEvent = z.infer<typeof event>;

/** A hundred events, each with its reason, take some 50 KiB. */
export const MAX_RELEASE_BYTES = 1024 * 1024;

const HISTORY_LIMIT = 100;
const ATTEMPTS = 3;

/**
 * Reads `release.json` of format 1 or 2. If the format is newer, or a part other than `stable` is wrong, it uses only
 * `stable`, which goes on answering. Throws an Error when there is no `stable`.
 *
 * @example parseRelease('{"stable": "3"}').stable // "3"
 */
export function parseRelease(text: string): Release {
  const json: unknown = JSON.parse(text);
  // Compiling a schema takes longer than reading a few releases without.
  const result = releaseSchema.safeParse(json, { jitless: true });
  if (result.success && result.data.schema <= FORMAT) return result.data;
  const least = z.looseObject({ stable: version }).safeParse(json);
  if (!least.success) throw new Error(z.prettifyError(least.error));
  const { schema } = least.data as { schema?: unknown };
  return {
    schema: typeof schema === "number" ? schema : FORMAT,
    revision: 0,
    stable: least.data.stable,
    candidates: [],
    salt: "",
    history: [],
  };
}

/** Whether the release has a format that this code does not know. */
export function isNewerFormat({ schema }: Release): boolean {
  return schema > FORMAT;
}

/** Reads the model's release and its ETag, which a change needs. Undefined when nothing was released yet. */
export async function readRelease(
  store: Store,
  model: string,
): Promise<{ release: Release; etag: string } | undefined> {
  const found = await store.get(keyOf(model), { maxBytes: MAX_RELEASE_BYTES });
  if (!found || found === "not-modified") return undefined;
  return { release: parseRelease(new TextDecoder().decode(found.bytes)), etag: found.etag };
}

/**
 * Changes the release by compare-and-swap. `decide` gets the current release and returns the next version, or throws. A
 * release ends the trial of all candidates. Of two changes at the same time, one is written and the other throws. If
 * the store refuses a write although nobody has changed the release, it tries again.
 */
export async function changeRelease(
  store: Store,
  model: string,
  decide: (current: Release | undefined) => ReleaseEvent | Promise<ReleaseEvent>,
): Promise<Release> {
  const current = await readRelease(store, model);
  if (current && isNewerFormat(current.release))
    throw new Error(
      `The release of ${model} has format ${current.release.schema}, and this Nearcast writes format ${FORMAT}: it would lose what it does not know. Update nearcast. Nothing was changed.`,
    );
  const next = await decide(current?.release);
  const release: Release = {
    ...current?.release,
    schema: FORMAT,
    revision: (current?.release.revision ?? 0) + 1,
    stable: next.version,
    candidates: [],
    salt: current?.release.salt || newSalt(),
    history: [next, ...pastOf(current?.release)].slice(0, HISTORY_LIMIT),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(release, undefined, 2)}\n`);
  if (bytes.byteLength > MAX_RELEASE_BYTES)
    throw new Error(
      `The release of ${model} would have ${bytes.byteLength} bytes, and at most ${MAX_RELEASE_BYTES} are read: give shorter reasons. Nothing was changed.`,
    );
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const written = await store.put(
      keyOf(model),
      bytes,
      current ? { ifMatch: current.etag } : { ifNoneMatch: "*" },
    );
    if (written) return release;
    const now = await readRelease(store, model);
    // An earlier attempt wrote it, but the store's answer was lost.
    if (now?.release.salt === release.salt && now.release.revision === release.revision) {
      const [written, ours] = [now.release.history[0], release.history[0]];
      if (JSON.stringify(written) === JSON.stringify(ours)) return release;
    }
    if (now?.etag !== current?.etag) break;
  }
  const after = await readRelease(store, model);
  if (after?.etag === current?.etag)
    throw new Error(
      `The store refused the release of ${model} ${ATTEMPTS} times, though nobody else has changed it. Nothing was changed: try again.`,
    );
  const winner = after?.release;
  const by = winner?.history[0]?.by;
  throw new Error(
    `Another release of ${model} happened at the same time; version ${winner?.stable ?? "?"} answers${by ? `, released by ${by}` : ""}. Nothing was changed.`,
  );
}

function newSalt(): string {
  return crypto.randomUUID().slice(0, 8);
}

function pastOf(current: Release | undefined): ReleaseEvent[] {
  if (!current) return [];
  const { stable, history } = current;
  return history[0]?.version === stable ? history : [{ version: stable }, ...history];
}

function keyOf(model: string): string {
  return `${model}/release.json`;
}
