import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createClient, type ClientOptions } from "../../client/src/index.ts";
import { failure } from "./failure.ts";
import {
  hangUp,
  json,
  prediction,
  refusal,
  silence,
  useStubService,
  type StubAnswer,
} from "./stub-service.ts";

const stub = useStubService();

const jobs = (options?: ClientOptions) => createClient(stub.url, options).jobs;
const job = (status: string, headers?: Record<string, string>) =>
  json(200, { id: "one", status }, headers);

const begin = (response: ServerResponse) =>
  response.writeHead(200, { "Content-Type": "text/event-stream" });
/** What one connection brings, piece by piece, before it ends. */
const stream =
  (...pieces: string[]): StubAnswer =>
  async (response) => {
    begin(response);
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    response.end();
  };
const event = (place: number, status: string) =>
  `id: ${place}\nevent: status\ndata: {"id":"one","status":"${status}","at":"2026-11-29T12:00:00.000Z"}\n\n`;
const SOON = "retry: 10\n\n";

async function statusesOf(events: AsyncIterable<{ status: string }>): Promise<string[]> {
  const statuses = [];
  for await (const { status } of events) statuses.push(status);
  return statuses;
}

describe("a job", () => {
  test("is made by its id, with the prediction's body", async () => {
    stub.answers = [job("queued")];
    const made = await jobs().submit("iris", new Blob([new Uint8Array([1, 2, 3])]), {
      id: "order/1",
      version: "2",
      parameters: { top_k: 1 },
      webhook: "https://hooks.example.com",
    });
    expect(made).toEqual({ id: "one", status: "queued" });
    expect(stub.requests[0]).toMatchObject({ method: "PUT", path: "/v1/jobs/order%2F1" });
    expect(JSON.parse(stub.requests[0]?.body ?? "")).toEqual({
      model: "iris",
      version: "2",
      inputs: "AQID",
      parameters: { top_k: 1 },
      webhook: "https://hooks.example.com",
    });
  });

  test("has an id of its own when none is given, and the same one in every try", async () => {
    stub.answers = [hangUp, refusal(503, "overloaded", "0"), job("queued")];
    await jobs().submit("iris", 1);
    await jobs().submit("iris", 1);
    const [first, second, third, other] = stub.requests.map(({ path }) => path);
    expect(first).toMatch(/^\/v1\/jobs\/[0-9a-f]{32}$/);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
  });

  test("is canceled again where no answer came, and not removed again", async () => {
    stub.answers = [hangUp, job("canceled")];
    expect((await jobs().cancel("one")).status).toBe("canceled");
    stub.answers = [hangUp];
    expect(await failure(jobs().remove("one"))).toMatchObject({ code: "network" });
    expect(stub.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /v1/jobs/one/cancel",
      "POST /v1/jobs/one/cancel",
      "DELETE /v1/jobs/one",
    ]);
  });

  test("cannot have a name that leads elsewhere", async () => {
    for (const name of ["", ".", ".."]) {
      await expect(jobs().get(name)).rejects.toThrow(TypeError);
      await expect(jobs().events(name).next()).rejects.toThrow(TypeError);
    }
    expect(stub.requests).toEqual([]);
  });
});

describe("polling", () => {
  test("waits as long as Retry-After says, then gives the answer", async () => {
    stub.answers = [
      job("queued", { "Retry-After": "1" }),
      job("succeeded"),
      (response) => {
        response.setHeader("X-Request-Id", "r1");
        return prediction(response);
      },
    ];
    expect(await jobs().wait("one")).toMatchObject({
      outputs: { label: "setosa" },
      requestId: "r1",
    });
    expect(stub.requests.map(({ path }) => path)).toEqual([
      "/v1/jobs/one",
      "/v1/jobs/one",
      "/v1/jobs/one/result",
    ]);
    const [first, second] = stub.requests.map(({ at }) => at);
    // A timer may be a little early.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(950);
  });

  test("ends with the timeout and with the signal, and tells the service what is left", async () => {
    stub.answers = [job("queued", { "Retry-After": "30" })];
    expect(await failure(jobs().wait("one", { timeoutMs: 50 }))).toMatchObject({ code: "timeout" });
    expect(Number(stub.requests[0]?.headers["x-request-timeout-ms"])).toBeLessThanOrEqual(50);
    const controller = new AbortController();
    const waiting = jobs().wait("one", { signal: controller.signal });
    const ended = expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => stub.requests.length).toBe(2);
    controller.abort();
    await ended;
  });

  test("rejects with the error that the prediction ended with", async () => {
    stub.answers = [job("failed"), refusal(422, "invalid_input")];
    expect(await failure(jobs().wait("one"))).toMatchObject({ status: 422, code: "invalid_input" });
  });
});

describe("events", () => {
  test("come in pieces, with comments, and end with the last status", async () => {
    const first = event(1, "queued");
    const second = event(2, "running");
    stub.answers = [
      stream(first.slice(0, 20), first.slice(20) + second.slice(0, -1)),
      stream(": still there\n\n", event(2, "running").replaceAll("\n", "\r\n"), event(3, "failed")),
    ];
    // Without its last line break the second event is not whole, and comes again.
    const events = jobs({ maxRetries: 0 }).events("one");
    expect(await statusesOf(events)).toEqual(["queued", "running", "failed"]);
    expect(stub.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "1"]);
    expect(stub.requests[0]?.headers).toMatchObject({ accept: "text/event-stream" });
  });

  test("go on after a lost connection, and miss and repeat none", async () => {
    stub.answers = [
      stream(SOON, event(1, "queued")),
      (response) => {
        begin(response).write(event(2, "running"));
        setTimeout(() => response.destroy(), 20);
      },
      hangUp,
      refusal(503, "store_unavailable", "0"),
      stream(event(3, "succeeded")),
    ];
    const events = jobs({ maxRetries: 3 }).events("one");
    expect(await statusesOf(events)).toEqual(["queued", "running", "succeeded"]);
    const known = stub.requests.map(({ headers }) => headers["last-event-id"]);
    expect(known).toEqual([undefined, "1", "2", "2", "2"]);
  });

  test("give up after as many tries as other calls, and at once where it is of no use", async () => {
    stub.answers = [stream(SOON + event(1, "queued")), hangUp];
    const errors: string[] = [];
    const options = { maxRetries: 1, onError: ({ code }: { code: string }) => errors.push(code) };
    const failed = await failure(statusesOf(jobs(options).events("one")));
    expect(failed).toMatchObject({ code: "network", status: 0 });
    expect(stub.requests).toHaveLength(3);
    stub.answers = [refusal(404, "not_found")];
    expect(await failure(jobs(options).events("one").next())).toMatchObject({ code: "not_found" });
    expect(stub.requests).toHaveLength(4);
    expect(errors).toEqual(["network", "not_found"]);
  });

  test.each<[string, StubAnswer]>([
    ["another server's page", (response) => response.writeHead(200).end("<h1>Hi</h1>")],
    ["data that is no event", stream("data: hello\n\n")],
  ])("are not %s", async (_name, answer) => {
    stub.answers = [answer];
    const failed = await failure(jobs().events("one").next());
    expect(failed).toMatchObject({ code: "unexpected_answer", status: 200 });
    expect(stub.requests).toHaveLength(1);
  });

  test("end with the timeout and with the signal, also while nothing comes", async () => {
    stub.answers = [(response) => begin(response).write(event(1, "queued"))];
    const late = await failure(statusesOf(jobs().events("one", { timeoutMs: 50 })));
    expect(late).toMatchObject({ code: "timeout" });
    const controller = new AbortController();
    const events = jobs().events("one", { signal: controller.signal });
    await events.next();
    const ended = expect(events.next()).rejects.toMatchObject({ name: "AbortError" });
    controller.abort();
    await ended;
    stub.answers = [silence];
    const silent = await failure(jobs().events("one", { timeoutMs: 50 }).next());
    expect(silent).toMatchObject({ code: "timeout" });
  });

  test("close the connection when nobody reads on", async () => {
    let closed = false;
    stub.answers = [
      (response) => {
        response.on("close", () => (closed = true));
        begin(response).write(event(1, "queued"));
      },
    ];
    for await (const { status } of jobs().events("one")) {
      expect(status).toBe("queued");
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });
});
