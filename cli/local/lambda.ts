import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { environment, type LambdaFunction } from "./lambda-environment.ts";
import { fromPayload, toEvent } from "./lambda-http.ts";
import {
  failure,
  type Invocation,
  reported,
  requestLimit,
  responseLimit,
} from "./lambda-invocation.ts";
import { readBody } from "./read-body.ts";
import { findRic, type Ric } from "./ric.ts";

export interface LambdaOptions extends LambdaFunction {
  timeoutMs?: number;
  /** The node executable. By default the one that runs this process. */
  node?: string;
  /** Stops the process between events, as Lambda does. Work that was not awaited stands still. */
  freeze?: boolean;
  /** Changes the command of Node and its arguments, for example to set limits. */
  command?: ((node: string, args: string[]) => [string, string[]]) | undefined;
  /** Called with the process's output as it comes. */
  onOutput?: (text: string) => void;
  /** Forces one of the two transports described in ric.ts. */
  transport?: Ric["transport"];
}

export interface Lambda {
  readonly coldStarts: number;
  readonly logs: string;
  readonly transport: Ric["transport"];
  /** The running process, if there is one. */
  readonly pid: number | undefined;
  /** The time of `performance.now()` at its first request for an event, which ends Lambda's init phase. */
  readonly readyAt: number | undefined;
  invoke: (event: unknown) => Promise<Invocation>;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<void>;
}

interface Pending {
  id: string;
  event: string;
  delivered: boolean;
  settle(result: Invocation): void;
  timer?: NodeJS.Timeout;
}

const initLimit = 60_000;

/** Starts one execution environment: a process that gets one event at a time. After its end the next event restarts it. */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const ric = await findRic(options.transport);
  const queue: Pending[] = [];
  let current: Pending | undefined;
  let idle: ServerResponse | undefined;
  let child: ChildProcess | undefined;
  let readyAt: number | undefined;
  let coldStarts = 0;
  let logs = "";
  let stopped = false;

  const api = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve, reject) => {
    api.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = api.address() as AddressInfo;

  const lambda: Lambda = {
    get coldStarts() {
      return coldStarts;
    },
    get logs() {
      return logs;
    },
    get pid() {
      return child?.pid;
    },
    get readyAt() {
      return readyAt;
    },
    transport: ric.transport,
    invoke,
    fetch: (path, init) =>
      handleRequest(
        new Request(new URL(path, "https://function.lambda-url.us-east-1.on.aws"), init),
      ),
    async stop() {
      stopped = true;
      for (const pending of queue.splice(0))
        pending.settle(failure("Sandbox.Stopped", "it was stopped"));
      finish(failure("Sandbox.Stopped", "it was stopped"));
      await endProcess();
      api.closeAllConnections();
      await new Promise((resolve) => api.close(resolve));
    },
  };
  return lambda;

  function invoke(event: unknown): Promise<Invocation> {
    const text = JSON.stringify(event) ?? "null";
    if (Buffer.byteLength(text) > requestLimit) {
      const message = `Request must be smaller than ${requestLimit} bytes for the InvokeFunction operation`;
      return Promise.resolve(failure("RequestTooLargeException", message));
    }
    return new Promise((settle) => {
      if (stopped) return settle(failure("Sandbox.Stopped", "it was stopped"));
      queue.push({ id: randomUUID(), event: text, delivered: false, settle });
      advance();
    });
  }

  async function handleRequest(request: Request): Promise<Response> {
    const event = await toEvent(request);
    const { signal } = request;
    signal.throwIfAborted();
    // The function goes on when its client leaves.
    const left = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    return fromPayload(await Promise.race([invoke(event), left]), request.method);
  }

  function advance(): void {
    if (current === undefined) {
      current = queue.shift();
      if (current === undefined) return;
      arm(current, initLimit + timeoutMs);
      if (child === undefined) start();
    }
    if (idle === undefined || current.delivered) return;
    const response = idle;
    idle = undefined;
    current.delivered = true;
    arm(current, timeoutMs);
    if (options.freeze === true) child?.kill("SIGCONT");
    response.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": current.id,
      "lambda-runtime-deadline-ms": String(Date.now() + timeoutMs),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:test",
      "lambda-runtime-trace-id":
        "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0",
    });
    response.end(current.event);
  }

  function arm(pending: Pending, limit: number): void {
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => {
      const result = failure(
        "Sandbox.Timedout",
        `Task timed out after ${(limit / 1000).toFixed(2)} seconds`,
      );
      void endProcess().then(() => finish(result, pending));
    }, limit);
  }

  function finish(result: Invocation, pending = current): void {
    if (pending === undefined || pending !== current) return;
    clearTimeout(pending.timer);
    current = undefined;
    pending.settle(result);
    advance();
  }

  function start(): void {
    coldStarts += 1;
    const node = options.node ?? process.execPath;
    const command = options.command?.(node, ric.args) ?? ([node, ric.args] as const);
    const started = spawn(command[0], command[1], {
      cwd: options.directory,
      env: environment(options, port),
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    readyAt = undefined;
    const keep = (chunk: Buffer): void => {
      const text = chunk.toString();
      if (options.onOutput) options.onOutput(text);
      else logs += text;
    };
    started.stdout.on("data", keep);
    started.stderr.on("data", keep);
    started.on("error", (error) => (logs += `${error.message}\n`));
    started.on("close", (code, signal) => {
      if (child !== started) return;
      child = undefined;
      idle = undefined;
      finish(
        failure(
          "Runtime.ExitError",
          `Runtime exited with error: ${signal === null ? `exit status ${code}` : `signal: ${signal}`}`,
        ),
      );
    });
  }

  async function endProcess(): Promise<void> {
    const ending = child;
    child = undefined;
    idle = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const closed = new Promise((resolve) => ending.once("close", resolve));
    ending.kill("SIGKILL");
    await closed;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, action, id, outcome] =
      /^\/2018-06-01\/runtime\/(invocation|init)\/([^/]+)(?:\/(response|error))?$/.exec(
        request.url ?? "",
      ) ?? [];
    if (request.method === "GET" && id === "next") {
      readyAt ??= performance.now();
      idle = response;
      advance();
      if (options.freeze === true && idle !== undefined) child?.kill("SIGSTOP");
      return;
    }
    const body = await readBody(request);
    if (body === undefined) return;
    const answer = (status: number, value: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

    if (action === "init" && id === "error") {
      answer(202, { status: "OK" });
      const pending = current;
      await endProcess();
      return finish(reported(body), pending);
    }
    const pending = current;
    if (pending === undefined || id !== pending.id)
      return void answer(400, { errorType: "InvalidRequestID" });
    if (body.length > responseLimit) {
      const message = `Response payload size exceeded maximum allowed payload size (${responseLimit} bytes).`;
      answer(413, { errorMessage: message, errorType: "RequestEntityTooLarge" });
      return finish(failure("Function.ResponseSizeTooLarge", message));
    }
    answer(202, { status: "OK" });
    if (outcome === "error") return finish(reported(body));
    if (request.headers["lambda-runtime-function-response-mode"] === "streaming") {
      return finish(failure("Sandbox.Streaming", "only buffered responses are answered here"));
    }
    finish({ payload: body.length === 0 ? null : (JSON.parse(body.toString()) as unknown) });
  }
}
