import * as z from "zod";
import type { Store } from "./store.ts";
import { NAME_PATTERN } from "./name.ts";
import { percentSchema, policySchema } from "./release-policy.ts";

const version = z.string().regex(NAME_PATTERN);

const event = z.looseObject({
  version,
  at: z.iso.datetime().optional().describe("Absent when the file was written by hand."),
  by: z.string().optional(),
  why: z.string().optional(),
  change: z
    .string()
    .optional()
    .describe("What happened to the candidate `version`. Absent when `version` was released."),
});

const segment = z.looseObject({
  id: z.number().int().min(0).describe("The revision that began it. Its counts have this name."),
  since: z.iso.datetime(),
  share: z
    .number()
    .min(0)
    .max(1)
    .describe("The candidate's part of the requests that it and stable share."),
});
const segments = z
  .array(segment)
  .default([])
  .describe(
    "The times with one share each, oldest first. What is counted is compared within each.",
  );

const candidate = z.union([
  z.looseObject({
    version,
    percent: percentSchema.describe("Its share of the traffic."),
    segments,
  }),
  z.looseObject({
    version,
    shadow: percentSchema.describe("The share of the traffic of which it gets a copy."),
    segments,
  }),
]);

/** The newest format that this code knows. It writes this one. */
export const FORMAT = 2;

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
  fallback: version
    .optional()
    .describe(
      "The version that answers at an edge when the released one is too large for it, and the region that answers it is not available.",
    ),
  candidates: z.array(candidate).default([]).describe("Versions on trial."),
  salt: z
    .string()
    .default("")
    .describe("Decides which key gets which candidate. Another salt gives another decision."),
  policy: policySchema.optional().describe("The rules for taking a candidate back, and its steps."),
  history: z
    .array(event)
    .default([])
    .describe("Earlier releases and what happened to candidates, newest first."),
});

export type Release = z.infer<typeof releaseSchema>;
export type ReleaseEvent = z.infer<typeof event>;
export type Candidate = z.infer<typeof candidate>;
export type Segment = z.infer<typeof segment>;

/** A hundred events, each with its reason, take some 50 KiB. */
export const MAX_RELEASE_BYTES = 1024 * 1024;

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

/** A candidate's share of the traffic in percent. Undefined for one that only gets copies. */
export function percentOf(candidate: Candidate): number | undefined {
  return "percent" in candidate ? Number(candidate.percent) : undefined;
}

/** The share in percent of the traffic of which the candidate gets a copy. Undefined for one that answers. */
export function shadowOf(candidate: Candidate): number | undefined {
  return percentOf(candidate) === undefined ? Number(candidate["shadow"]) : undefined;
}

/** Whether the candidate gets requests, or copies of them. */
export function isOnTrial(candidate: Candidate): boolean {
  return (percentOf(candidate) ?? shadowOf(candidate) ?? 0) > 0;
}

/** Whether the release has a format that this code does not know. */
export function isNewerFormat({ schema }: Release): boolean {
  return schema > FORMAT;
}

/** Reads the model's release and its ETag, which a change needs. Undefined when nothing was released yet. */
export async function readRelease(
  store: Pick<Store, "get">,
  model: string,
): Promise<{ release: Release; etag: string } | undefined> {
  const found = await store.get(releaseKey(model), { maxBytes: MAX_RELEASE_BYTES });
  if (!found || found === "not-modified") return undefined;
  return { release: parseRelease(new TextDecoder().decode(found.bytes)), etag: found.etag };
}

/** The key of a model's release in its store. */
export function releaseKey(model: string): string {
  return `${model}/release.json`;
}
