import { hasEnded, type Batch, type BatchStatus, type Requests } from "../../batches/batch.ts";
import type { BatchState } from "../../batches/batches.ts";
import { openaiCode } from "./errors.ts";
import { seconds } from "./seconds.ts";

type Status =
  | "validating"
  | "failed"
  | "in_progress"
  | "finalizing"
  | "completed"
  | "expired"
  | "cancelling"
  | "cancelled";

/** The completion window, the only one that there is: `24h`. */
export const WINDOW_MS = 24 * 3600 * 1000;

/** OpenAI's words for what a batch ends as. */
const ENDS: Partial<Record<BatchStatus, Status>> = {
  failed: "failed",
  succeeded: "completed",
  canceled: "cancelled",
  expired: "expired",
};

/** The batch as OpenAI's clients see it. Times are seconds since 1970. Throws for a batch that is none of requests. */
export function shownBatch(state: BatchState) {
  const { batch, completed, failed, outputBytes, errorBytes } = state;
  const { id, model, events, cut, requests } = batch;
  if (!requests) throw new Error(`The batch ${id} is none of OpenAI's.`);
  const status = statusOf(state, requests);
  const at = (name: BatchStatus) => {
    const found = events.find((event) => event.status === name);
    return found ? seconds(found.at) : null;
  };
  const hasFiles = hasEnded(batch) && status !== "failed";
  return {
    id,
    object: "batch",
    endpoint: requests.endpoint,
    model: model === "" ? null : model,
    errors: errorsOf(requests),
    input_file_id: requests.inputFile,
    completion_window: "24h",
    status,
    output_file_id: hasFiles && outputBytes > 0 ? requests.outputFile : null,
    error_file_id: hasFiles && errorBytes > 0 ? requests.errorFile : null,
    created_at: at("validating"),
    in_progress_at: at("running"),
    expires_at: seconds((events[0]?.at ?? 0) + WINDOW_MS),
    // What is finalized is counted already.
    finalizing_at: at("succeeded"),
    completed_at: at("succeeded"),
    failed_at: at("failed"),
    expired_at: at("expired"),
    cancelling_at: cancellingAt(batch, requests),
    cancelled_at: at("canceled"),
    request_counts: { total: cut.rows, completed, failed },
    metadata: requests.metadata ?? null,
  };
}

function statusOf({ batch, completed, failed }: BatchState, { ending }: Requests): Status {
  const ended = ENDS[batch.status];
  if (ended) return ended;
  if (batch.status !== "running") return "validating";
  if (ending?.status === "canceled") return "cancelling";
  return ending || completed + failed >= batch.cut.rows ? "finalizing" : "in_progress";
}

/** When it was asked to end. What is still being validated ends at once. */
function cancellingAt({ events, status }: Batch, { ending }: Requests): number | null {
  if (ending) return ending.status === "canceled" ? seconds(ending.at) : null;
  const last = events.at(-1);
  return status === "canceled" && last ? seconds(last.at) : null;
}

function errorsOf({ issues }: Requests) {
  if (!issues) return null;
  const data = issues.map(({ code, message, line, param }) => ({
    code: openaiCode(code),
    message,
    param: param ?? null,
    line: line ?? null,
  }));
  return { object: "list", data };
}
