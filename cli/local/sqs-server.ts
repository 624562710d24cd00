import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "./read-body.ts";
import { createQueues, SqsFailure, type Queues } from "./sqs-queues.ts";

/** `down` destroys the connection, `stall` never answers, `error` answers 500, `full` refuses as SQS throttles. */
export type SqsBehaviour = "ok" | "down" | "stall" | "error" | "full";

export interface SqsServer {
  readonly endpoint: string;
  /** The URL of a queue. */
  url: (queue: string) => string;
  /** The variable that the function reads. */
  readonly env: Record<string, string>;
  /** The names of the actions that were asked for so far. */
  readonly actions: string[];
  behaviour: SqsBehaviour;
  queues: Queues;
  close: () => Promise<void>;
}

const ACCOUNT = "000000000000";
const JOBS = "jobs";
const DEAD_JOBS = "dead-jobs";
/** As serverless.yml has it. */
const MOST_RECEIVES = 5;

/** Starts SQS over HTTP on loopback, in its JSON protocol, with a queue `jobs` and its dead-letter queue `dead-jobs`. */
export async function startSqs({ visibilitySeconds = 30 } = {}): Promise<SqsServer> {
  const actions: string[] = [];
  const queues = createQueues([
    { name: JOBS, visibilitySeconds, redrive: { to: DEAD_JOBS, maxReceiveCount: MOST_RECEIVES } },
    { name: DEAD_JOBS, visibilitySeconds },
  ]);
  const http = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = http.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const url = (queue: string) => `${endpoint}/${ACCOUNT}/${queue}`;
  const server: SqsServer = {
    endpoint,
    url,
    env: { JOBS_QUEUE_URL: url(JOBS) },
    actions,
    behaviour: "ok",
    queues,
    close: () => end(http),
  };
  return server;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { behaviour } = server;
    if (behaviour === "down") return void request.socket.destroy();
    if (behaviour === "stall") return void request.resume();
    const body = await readBody(request);
    if (body === undefined) return;
    const [service, action = ""] = String(request.headers["x-amz-target"]).split(".");
    actions.push(action);
    const answer = (status: number, value: unknown) =>
      response
        .writeHead(status, { "content-type": "application/x-amz-json-1.0" })
        .end(JSON.stringify(value));
    try {
      if (service !== "AmazonSQS") throw new SqsFailure("InvalidAction", "no target of SQS");
      if (!request.headers.authorization?.startsWith("AWS4-HMAC-SHA256 "))
        throw new SqsFailure("MissingAuthenticationToken", "not signed");
      if (behaviour === "full") throw new SqsFailure("RequestThrottled", "slow down");
      if (behaviour === "error") return void answer(500, { __type: "InternalFailure" });
      const asked = JSON.parse(body.toString()) as Record<string, unknown>;
      const queue = String(asked["QueueUrl"]).split("/").at(-1) ?? "";
      answer(200, await queues.act(action, queue, asked));
    } catch (error) {
      if (!(error instanceof SqsFailure)) return void answer(500, { message: String(error) });
      const { code, message } = error;
      answer(400, { __type: `com.amazonaws.sqs#${code}`, message });
    }
  }
}

async function end(http: Server): Promise<void> {
  const closed = new Promise((resolve) => http.close(resolve));
  http.closeAllConnections();
  await closed;
}
