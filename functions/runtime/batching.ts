import { createDeferred, type Deferred } from "../deferred.ts";
import { joinedRows, rowsFrom, type Tensor, type Tensors } from "../tensor.ts";
import type { Session } from "./types.ts";

interface BatchingOptions {
  /** Most rows in a joint run. */
  maxRows: number;
  /** How many runs the runtime computes at a time. */
  parallel: number;
}

/** A run that waits for its turn. */
interface Waiting {
  feeds: Tensors;
  outputNames: readonly string[];
  rows: number;
  until: number;
  /** Runs with the same key can be joined. */
  key: string;
  answer: Deferred<Tensors>;
}

/**
 * A session that joins runs along their first dimension. It joins runs that came while the runtime was busy, in their
 * order, while owners, names, datatypes and all other dimensions are the same. A run never waits for others to join. If
 * a joint run fails, each run is repeated alone, so that one caller's bad row does not fail another's.
 */
export function createBatchingSession(session: Session, options: BatchingOptions): Session {
  const { maxRows, parallel } = options;
  let queue: Waiting[] = [];
  let running = 0;
  let scheduled = false;

  /** Starts runs after all requests that have arrived by now were read. */
  function schedule(): void {
    if (scheduled || queue.length === 0 || running >= parallel) return;
    scheduled = true;
    setImmediate(startRuns);
  }

  function startRuns(): void {
    scheduled = false;
    while (queue.length > 0 && running < parallel) {
      const { taken, left } = takeTogether(queue, maxRows);
      queue = left;
      running += 1;
      void answerTogether(session, taken).finally(() => {
        running -= 1;
        schedule();
      });
    }
  }

  return {
    ...session,
    run(feeds, outputNames, owner, until = Infinity) {
      const rows = rowsOf(feeds);
      if (rows === undefined || rows >= maxRows)
        return session.run(feeds, outputNames, owner, until);
      const answer = createDeferred<Tensors>();
      const key = keyOf(feeds, outputNames, owner);
      queue.push({ feeds, outputNames, rows, until, key, answer });
      schedule();
      return answer.promise;
    },
  };
}

/** The first dimension, if it is the same in all inputs. */
function rowsOf(feeds: Tensors): number | undefined {
  let rows: number | undefined;
  for (const name in feeds) {
    const size = feeds[name]?.shape[0];
    if (!size || (rows !== undefined && size !== rows)) return undefined;
    rows = size;
  }
  return rows;
}

function keyOf(feeds: Tensors, outputNames: readonly string[], owner = ""): string {
  const inputs = Object.keys(feeds)
    .toSorted()
    .map((name) => [name, feeds[name]?.datatype, feeds[name]?.shape.slice(1)]);
  return JSON.stringify([owner, outputNames, inputs]);
}

/** The first run, and the runs after it that can join it. */
function takeTogether(queue: readonly Waiting[], maxRows: number) {
  const [taken, left]: [Waiting[], Waiting[]] = [[], []];
  let rows = 0;
  for (const waiting of queue)
    if (waiting.key === (taken[0] ?? waiting).key && rows + waiting.rows <= maxRows) {
      taken.push(waiting);
      rows += waiting.rows;
    } else left.push(waiting);
  return { taken, left };
}

async function answerTogether(session: Session, group: readonly Waiting[]): Promise<void> {
  if (group.length > 1) {
    const each = await runTogether(session, group).catch(() => undefined);
    if (each) {
      for (const [index, { answer }] of group.entries()) answer.resolve(each[index] as Tensors);
      return;
    }
  }
  for (const { feeds, outputNames, until, answer } of group)
    await session.run(feeds, outputNames, undefined, until).then(answer.resolve, answer.reject);
}

/**
 * Computes runs together and gives each its own outputs. Undefined when an output does not have one row for each row of
 * the inputs.
 */
async function runTogether(
  session: Session,
  group: readonly Waiting[],
): Promise<Tensors[] | undefined> {
  const { feeds, outputNames } = group[0] as Waiting;
  const total = group.reduce((sum, { rows }) => sum + rows, 0);
  const joint: Tensors = {};
  for (const name of Object.keys(feeds))
    joint[name] = joinedRows(group.map((waiting) => waiting.feeds[name] as Tensor));
  const until = Math.max(...group.map((waiting) => waiting.until));
  const outputs = await session.run(joint, outputNames, undefined, until);
  if (Object.values(outputs).some(({ shape }) => shape[0] !== total)) return undefined;
  let from = 0;
  return group.map(({ rows }) => {
    const own: Tensors = {};
    // Makes copies: no caller may get the memory that holds all rows.
    for (const name of outputNames) own[name] = rowsFrom(outputs[name] as Tensor, from, rows);
    from += rows;
    return own;
  });
}
