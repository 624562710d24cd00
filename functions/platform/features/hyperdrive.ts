import type { Hyperdrive } from "@cloudflare/workers-types";
import type { AskPostgres, Found } from "./postgres.ts";

/** Asks through Hyperdrive, which pools connections: a Worker's request cannot use those of another one. */
export function createHyperdrive(hyperdrive: Hyperdrive): AskPostgres {
  return async function ask(query, signal) {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: hyperdrive.connectionString });
    const end = () => void client.end().catch(() => undefined);
    signal.addEventListener("abort", end);
    try {
      await client.connect();
      const { rows } = await client.query<Found>(query);
      return rows;
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  };
}
