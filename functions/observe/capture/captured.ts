/** One input and its answer: a line of an object in the store. It has no further members. */
export interface CapturedInput {
  request_id: string;
  /** The place of the input in its request, from 0. */
  row: number;
  /** SHA-256 of {@link keyText}, as feedback has it. Two callers may use the same id. */
  key: string;
  /** When it was answered, in ISO 8601. */
  time: string;
  model: string;
  version: string;
  /** SHA-256 of the version's artifact, in hexadecimal. */
  digest: string;
  /** Why this version answered. */
  assignment: string;
  /** SHA-256 of {@link subjectText}: whose data it is. Absent where nobody said so. */
  subject?: string;
  /** As the task takes it, without what the manifest redacts. Null where it is redacted as a whole, or too large. */
  input: unknown;
  /** Present instead of a row where the client sent tensors from which no row can be read. */
  tensors?: unknown;
  /** Where each looked-up feature of the input was from, and how old it was. Absent where none were looked up. */
  features?: unknown;
  /** The answer, or those of all rows of the tensors. Null where it is too large, or was not asked for. */
  output: unknown;
}

/** What really happened, by feedback: another kind of line. */
export interface CapturedOutcome extends Pick<
  CapturedInput,
  "request_id" | "key" | "time" | "model" | "version"
> {
  /** One for each input of the request. */
  outcome: readonly (string | number)[];
}

export type CapturedLine = CapturedInput | CapturedOutcome;

/** Names below a dot are left out of lists of models. */
const CAPTURED = ".captured";

/** The place of everything captured of a model. */
export function capturedPrefix(model: string): string {
  return `${CAPTURED}/${model}/`;
}

export interface CapturedKey {
  model: string;
  /** The day on which the object is removed, such as `2026-12-30`, in UTC. */
  until: string;
  /** The day of all its lines. */
  day: string;
  instance: string;
  turn: number;
}

/** The key of an object with lines of one day. The first day in it says when its time is over, without any manifest. */
export function capturedKey({ model, until, day, instance, turn }: CapturedKey): string {
  return `${capturedPrefix(model)}${until}/${day}-${instance}-${turn}.jsonl`;
}

/** Reads a key. Undefined for one of another form. */
export function parseCapturedKey(key: string): CapturedKey | undefined {
  const [, model, until, day, instance, turn] =
    /^\.captured\/([^/]+)\/(\d{4}-\d\d-\d\d)\/(\d{4}-\d\d-\d\d)-([0-9a-f]+)-(\d+)\.jsonl$/.exec(
      key,
    ) ?? [];
  if (!model || !until || !day || !instance) return undefined;
  return { model, until, day, instance, turn: Number(turn) };
}

const DAY_MS = 86_400_000;

/** The day of a time in milliseconds since 1970, or some days later. */
export function dayOf(time: number, later = 0): string {
  return new Date(time + later * DAY_MS).toISOString().slice(0, 10);
}

/** Notes of which models have something that is removed on which day: nobody has to list all that is captured. */
export const DUE = `${CAPTURED}/.due/`;

/** The note that something of the model is removed on the day. */
export function dueKey(model: string, until: string): string {
  return `${DUE}${until}/${model}`;
}

/** Reads the key of a note. Undefined for one of another form. */
export function parseDueKey(key: string): { model: string; until: string } | undefined {
  const [, until, model] = /^\.captured\/\.due\/(\d{4}-\d\d-\d\d)\/([^/]+)$/.exec(key) ?? [];
  return until && model ? { model, until } : undefined;
}

/** What is hashed for a request: an id belongs to its caller. */
export function keyText(caller: string, id: string): string {
  return `${caller}\n${id}`;
}

/** What is hashed for a subject: someone has another digest with each model. */
export function subjectText(model: string, subject: string): string {
  return `${model}\n${subject}`;
}

/** A line of an object. Undefined for a text that is none. */
export function parseLine(text: string): CapturedLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<CapturedLine> | null;
    return typeof line?.request_id === "string" ? (line as CapturedLine) : undefined;
  } catch {
    return undefined;
  }
}
