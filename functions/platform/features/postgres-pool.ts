import type { Pool, PoolClient } from "pg";
import type { AskPostgres, Found, Query } from "./postgres.ts";

/** Connections of one instance. */
const MOST_CONNECTIONS = 4;
/** Above all time-outs of look-ups: what nobody waits for any more ends here. */
const LONGEST_MS = 10_000;

/** Asks through a pool of connections, which is opened with the first query. */
export function createPostgresPool(connectionString: string): AskPostgres {
  let opened: Promise<Pool> | undefined;

  async function open(): Promise<Pool> {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({
      connectionString,
      max: MOST_CONNECTIONS,
      connectionTimeoutMillis: LONGEST_MS,
      query_timeout: LONGEST_MS,
      statement_timeout: LONGEST_MS,
      allowExitOnIdle: true,
    });
    // A connection that ends while nobody uses it: the next query opens another.
    pool.on("error", () => undefined);
    return pool;
  }

  return async function ask(query, signal) {
    const pool = await (opened ??= open());
    for (let attempt = 1; ; attempt++) {
      const client = await pool.connect();
      try {
        return await run(client, query, signal);
      } catch (error) {
        // A function that stood still finds its connection closed. What the server says of a query is an ERROR.
        const isConnection =
          !(error instanceof Error && "severity" in error) || error.severity === "FATAL";
        if (attempt > 1 || !isConnection || signal.aborted) throw error;
      }
    }
  };
}

/** Runs one query. A connection that failed, or whose answer nobody waits for any more, is closed. */
async function run(client: PoolClient, query: Query, signal: AbortSignal): Promise<Found[]> {
  let isReleased = false;
  const release = (closes: boolean) => {
    if (!isReleased) client.release(closes);
    isReleased = true;
  };
  const close = () => release(true);
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) close();
    const { rows } = await client.query<Found>(query);
    release(false);
    return rows;
  } catch (error) {
    release(true);
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
