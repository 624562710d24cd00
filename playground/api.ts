import type { ModelDescription, ModelSummary } from "../client/src/types.ts";

export type { Feature, ModelSummary } from "../client/src/types.ts";

/** Where the app is mounted: the script is one folder below. */
export const base = new URL("..", import.meta.url);

/** The public part of a manifest. */
export type Manifest = ModelDescription;

/** A picture or a recording as it was chosen, with a name for the commands. */
export interface Picture {
  blob: Blob;
  name: string;
}

/** One call. Inputs and parameters are JSON, so that what is shown is what is sent. */
export interface Question {
  model: string;
  /** The released one, or the caller's on trial, when absent. */
  version: string | undefined;
  inputs: string | Picture;
  parameters: string | undefined;
}

export interface Answer {
  asked: Question;
  version: string;
  outputs: unknown;
  /** The body as it came. */
  text: string;
  milliseconds: number;
  serverTiming: string | null;
  requestId: string | null;
  cache: string | null;
  assignment: string | null;
}

export interface Mistake {
  path: string;
  message: string;
}

/** An error that the service answered, or that there was no answer. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly mistakes: readonly Mistake[];

  constructor(status: number, code: string, detail: string, rest: Partial<Failure> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = rest.requestId ?? null;
    this.mistakes = rest.mistakes ?? [];
  }
}

/** An error as one that the page can show. */
export function failureOf(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure(0, "unreadable", String(error));
}

export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Asks the service with the key. Rejects with a {@link Failure}, or an AbortError. */
export function askWith(key: string): Ask {
  return async function ask(path, init = {}) {
    const headers = new Headers(init.headers);
    if (key) headers.set("Authorization", `Bearer ${key}`);
    let response: Response;
    try {
      response = await fetch(new URL(path, base), { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw unanswered();
    }
    if (!response.ok) throw await refusalOf(response);
    return response;
  };
}

export async function readModels(ask: Ask, signal: AbortSignal): Promise<ModelSummary[]> {
  const response = await ask("v1/models", { signal });
  return ((await response.json()) as { models: ModelSummary[] }).models;
}

export async function readManifest(
  ask: Ask,
  model: string,
  signal: AbortSignal,
): Promise<Manifest> {
  return (await ask(`v1/models/${encodeURIComponent(model)}`, { signal })).json();
}

/** The versions on trial. None where the caller may not know. */
export async function readCandidates(
  ask: Ask,
  model: string,
  signal: AbortSignal,
): Promise<string[]> {
  const response = await ask(`v1/models/${encodeURIComponent(model)}/rollout`, { signal });
  const { candidates = [] } = (await response.json()) as { candidates?: { version: string }[] };
  return candidates.map(({ version }) => version);
}

/** The address of the call below {@link base}, with the parameters of a picture. */
export function pathOf({ model, version, inputs, parameters }: Question): string {
  const named = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  const query =
    typeof inputs === "string" || parameters === undefined ? "" : `?${queryOf(parameters)}`;
  return `v1/models/${encodeURIComponent(model)}${named}/predict${query}`;
}

/** The body of a call whose inputs are JSON. */
export function bodyOf(inputs: string, parameters: string | undefined): string {
  return `{"inputs": ${inputs}${parameters === undefined ? "" : `, "parameters": ${parameters}`}}`;
}

/** The Content-Type of a picture or a recording, as the service takes it. */
export function mediaTypeOf({ blob }: Picture): string {
  return /^(image\/(jpeg|png|webp)|audio\/(x-)?wav)$/.test(blob.type)
    ? blob.type
    : "application/octet-stream";
}

export async function predict(ask: Ask, asked: Question, signal: AbortSignal): Promise<Answer> {
  const { inputs, parameters } = asked;
  const [body, type] =
    typeof inputs === "string"
      ? [bodyOf(inputs, parameters), "application/json"]
      : [inputs.blob, mediaTypeOf(inputs)];
  const started = performance.now();
  const headers = { "Content-Type": type };
  const response = await ask(pathOf(asked), { method: "POST", headers, body, signal });
  const text = await response.text().catch((error: unknown) => {
    throw signal.aborted ? error : unanswered();
  });
  const milliseconds = performance.now() - started;
  const header = (name: string) => response.headers.get(name);
  const { version, outputs } = JSON.parse(text) as { version: string; outputs: unknown };
  return {
    asked,
    version,
    outputs,
    text,
    milliseconds,
    serverTiming: header("Server-Timing"),
    requestId: header("X-Request-Id"),
    cache: header("Cache-Status"),
    assignment: header("X-Model-Assignment"),
  };
}

function queryOf(parameters: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(JSON.parse(parameters) as object))
    query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  return query.toString();
}

function unanswered(): Failure {
  return new Failure(
    0,
    "no_answer",
    "There is no answer. The network is gone, or the service is down.",
  );
}

async function refusalOf(response: Response): Promise<Failure> {
  const body = (await response.json().catch(() => ({}))) as {
    code?: string;
    detail?: string;
    errors?: Mistake[];
  };
  const { status, headers } = response;
  const wait = headers.get("Retry-After");
  const detail = body.detail ?? `The service answered ${status}.`;
  return new Failure(
    status,
    body.code ?? "unknown",
    wait === null ? detail : `${detail} Try again in ${wait} s.`,
    { requestId: headers.get("X-Request-Id"), mistakes: body.errors ?? [] },
  );
}
