import { NearcastError } from "../errors.ts";
import { cutRecords } from "../inputs/cut.ts";
import { pieceText } from "../inputs/piece-text.ts";
import { rowError, type Row } from "../inputs/row.ts";
import { callerOf } from "../jobs/job.ts";
import { waitForQuiet } from "../jobs/wait-for-quiet.ts";
import type { Batch, BatchInput, RequestIssue, Requests } from "./batch.ts";
import { writeChunk } from "./chunk.ts";
import type { Cutting } from "./cut-file.ts";
import { readRequest, type RequestLine } from "./read-request.ts";
import { openInput } from "./stored-source.ts";

const START = { offset: 0, line: 1 };
const CHUNK_REQUESTS = 100;
const CHUNK_BYTES = 256 * 1024;
/** As many as OpenAI takes. */
const MOST_REQUESTS = 50_000;
/** After so many wrong lines nobody wants to read of more. */
const MOST_ISSUES = 100;

type Asked = Batch & { input: BatchInput; requests: Requests };

/** What becomes of the batch once its file was read. */
export type RequestsCut =
  | { issues: RequestIssue[] }
  | Pick<Batch, "model" | "version" | "digest" | "assignment" | "cut">;

/**
 * Checks every line of a batch's file, and cuts it into chunks. Finds the version that answers all of them. Others go on
 * between its pieces. It is done by one message, and anew where the process ends: an id that comes twice may do so anywhere.
 */
export async function cutRequests(
  name: string,
  batch: Asked,
  cutting: Cutting,
): Promise<RequestsCut> {
  const { own } = cutting;
  const lines = createLines(batch.requests.endpoint);
  let chunks = 0;
  try {
    for await (const text of piecesOf(name, batch, cutting)) {
      const rows = lines.read(text);
      if (lines.issues.length >= MOST_ISSUES) break;
      if (lines.issues.length === 0 && rows.length > 0)
        await own.write(name, `in-${chunks++}`, writeChunk(rows));
    }
    const { model, count } = lines.all();
    if (lines.issues.length === 0)
      return { ...(await versionOf(model, batch, cutting)), cut: { chunks, rows: count } };
  } catch (error) {
    const { code, detail } = rowError(error);
    lines.issues.push({ code, message: detail });
  }
  for (let chunk = 0; chunk < chunks; chunk++) await own.remove(name, `in-${chunk}`);
  return { issues: lines.issues };
}

async function* piecesOf(
  name: string,
  { input }: Asked,
  { platform, own, turns }: Cutting,
): AsyncGenerator<{ text: string; line: number }> {
  const { config, store } = platform;
  const source = openInput(input, name, { own, store, timeoutMs: config.storeTimeoutMs });
  const limits = { rows: CHUNK_REQUESTS, bytes: CHUNK_BYTES, lineBytes: config.limits.bodyBytes };
  for await (const { bytes, line } of cutRecords(source, START, { ...limits, quoted: false })) {
    // The store may answer without a turn of the event loop.
    await platform.turnEventLoop?.();
    await waitForQuiet(turns);
    yield { text: pieceText(bytes, line), line };
  }
}

/** Lines of one file, which belong together. */
function createLines(endpoint: string) {
  const issues: RequestIssue[] = [];
  const ids = new Set<string>();
  let model: string | undefined;

  /** What is wrong with a request beside the others. */
  function besides({ custom_id: id, body }: RequestLine): Omit<RequestIssue, "line"> | undefined {
    if (ids.has(id))
      return {
        code: "duplicate_custom_id",
        message: `The custom_id ${JSON.stringify(id)} comes twice.`,
        param: "custom_id",
      };
    ids.add(id);
    model ??= body.model;
    if (body.model === model) return undefined;
    return {
      code: "mismatched_model",
      message: `All requests of a batch must name one model. The first one names ${model}.`,
      param: "body.model",
    };
  }

  return {
    issues,
    read({ text, line: first }: { text: string; line: number }): Row[] {
      const rows: Row[] = [];
      for (const [index, content] of text.split("\n").entries()) {
        if (content.trim() === "") continue;
        const line = first + index;
        const found = readRequest(content, endpoint);
        const issue = "issue" in found ? found.issue : besides(found.request);
        if (issue && issues.length < MOST_ISSUES) issues.push({ ...issue, line });
        else if ("request" in found) rows.push({ line, input: found.request });
        if (ids.size > MOST_REQUESTS)
          throw new NearcastError(
            "invalid_input",
            `A batch may have at most ${MOST_REQUESTS} requests.`,
          );
      }
      return rows;
    },
    /** The model of all requests, and how many there are. Adds an issue where there is none. */
    all() {
      if (model === undefined && issues.length === 0)
        issues.push({ code: "empty_file", message: "The file has no request." });
      return { model: model ?? "", count: ids.size };
    },
  };
}

/** The version that answers all requests. Rejects where the caller cannot ask the model, or it does something else. */
async function versionOf(
  model: string,
  { caller: stored, requests: { endpoint, task, key, override } }: Asked,
  { resolve }: Cutting,
) {
  const caller = callerOf(stored);
  const { manifest, reason, release } = await resolve({ model, caller, key, override });
  if (manifest.task !== task)
    throw new NearcastError(
      "invalid_input",
      `${model} does not answer ${endpoint}: its task is ${manifest.task}.`,
    );
  const { name, version, artifact } = manifest;
  return {
    model: name,
    version,
    digest: artifact.sha256,
    assignment: { version, reason, ...(release && { release }) },
  };
}
