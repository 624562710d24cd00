import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { vi } from "vitest";

export interface DynamoDb {
  /** The variables that AWS SDKs read. */
  readonly env: Record<string, string>;
  /** The units in each item. */
  counts: () => Promise<number[]>;
  /** When the items whose id begins so may be removed, in seconds of Unix time. */
  expiries: (prefix: string) => Promise<number[]>;
  /** The actions that were asked for so far, such as `GetItem`. */
  asked: () => string[];
  /** Refuses connections until it is brought back on the same port with an empty table. */
  takeDown: () => Promise<void>;
  /** Lets requests hang until `goOn`. */
  pause: () => void;
  goOn: () => void;
  bringBack: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts DynamoDB over HTTP (dynalite) with the table of serverless.yml. */
export async function startDynamoDb(table: string): Promise<DynamoDb> {
  const state: State = { asked: [], isPaused: false };
  let server = await listen(0, state);
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const createTable = () =>
    client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      }),
    );
  await createTable();
  const items = async () => {
    const found: Record<string, AttributeValue>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table }))
      found.push(...Items);
    return found;
  };
  return {
    env: { RATE_LIMIT_TABLE: table, AWS_ENDPOINT_URL_DYNAMODB: endpoint },
    asked: () => [...state.asked],
    counts: async () => (await items()).map(({ used }) => Number(used?.N)),
    expiries: async (prefix) =>
      (await items())
        .filter(({ id }) => id?.S?.startsWith(prefix))
        .map(({ expires }) => Number(expires?.N)),
    takeDown: () => close(server),
    pause: () => void (state.isPaused = true),
    goOn: () => void (state.isPaused = false),
    async bringBack() {
      server = await listen(port, state);
      await createTable();
    },
    async stop() {
      client.destroy();
      await close(server);
    },
  };
}

interface State {
  asked: string[];
  isPaused: boolean;
}

async function listen(port: number, state: State): Promise<Server> {
  const server = dynalite({ createTableMs: 0 });
  const [answer] = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request").on("request", (request, response) => {
    const [, action] = String(request.headers["x-amz-target"]).split(".");
    if (action) state.asked.push(action);
    if (!state.isPaused) answer?.(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return server;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** The variables with which an SDK signs. */
export const KEYS = {
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  AWS_REGION: "us-east-1",
};

/** Lets the SDK in the test's own process find the table. */
export function stubDynamoDb({ env }: Pick<DynamoDb, "env">): void {
  for (const [name, value] of Object.entries({ ...env, ...KEYS })) vi.stubEnv(name, value);
}

/** Starts a table that the SDK in the test's own process finds until it is stopped. */
export async function useDynamoDb(table: string): Promise<DynamoDb> {
  const started = await startDynamoDb(table);
  stubDynamoDb(started);
  return {
    ...started,
    async stop() {
      vi.unstubAllEnvs();
      await started.stop();
    },
  };
}
