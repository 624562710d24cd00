import { beforeEach, describe, expect, test } from "vitest";
import {
  createClient,
  type ClientOptions,
  type NearcastClientError,
} from "../../client/src/index.ts";
import { failure } from "./failure.ts";
import {
  hangUp,
  json,
  prediction,
  refusal,
  silence,
  startStubService,
  useStubService,
  type StubAnswer,
} from "./stub-service.ts";

const stub = useStubService();
beforeEach(() => {
  stub.answers = [prediction];
});

const client = (options?: ClientOptions) => createClient(stub.url, options);
const health = json(200, { status: "ok" });

describe("what is sent", () => {
  test("inputs and parameters by POST, with the key, headers and id that were given", async () => {
    const { predict } = client({ key: "secret", headers: { "X-Shop": "7" } });
    const answer = await predict("iris", [[1, 2]], {
      parameters: { top_k: 1 },
      requestId: "abc-1",
      timeoutMs: 5000,
    });
    expect(answer).toEqual({
      model: "iris",
      version: "1",
      digest: "",
      requestId: "abc-1",
      outputs: { label: "setosa" },
    });
    const [request] = stub.requests;
    expect(request).toMatchObject({
      method: "POST",
      path: "/v1/models/iris/predict",
      body: '{"inputs":[[1,2]],"parameters":{"top_k":1}}',
    });
    expect(request?.headers).toMatchObject({
      accept: "application/json",
      authorization: "Bearer secret",
      "content-type": "application/json",
      "x-request-id": "abc-1",
      "x-shop": "7",
    });
    const toldMs = Number(request?.headers["x-request-timeout-ms"]);
    expect(toldMs).toBeGreaterThan(0);
    expect(toldMs).toBeLessThanOrEqual(5000);
  });

  test("nothing that was not given", async () => {
    await client().predict("iris", 1);
    expect(stub.requests[0]?.body).toBe('{"inputs":1}');
    for (const name of ["authorization", "x-request-id", "x-request-timeout-ms"])
      expect(stub.requests[0]?.headers).not.toHaveProperty(name);
  });

  test("a timeout longer than timers hold is no timeout of a millisecond", async () => {
    for (const timeoutMs of [2 ** 32, Infinity]) {
      const answer = await client().predict("iris", 1, { timeoutMs });
      expect(answer.outputs).toEqual({ label: "setosa" });
    }
    expect(stub.requests.map(({ headers }) => headers["x-request-timeout-ms"])).toEqual([
      expect.stringMatching(/^\d{10}$/),
      undefined,
    ]);
  });

  test.each([0, -1, NaN])("a timeout of %s ms is refused and nothing sent", async (timeoutMs) => {
    await expect(client().predict("iris", 1, { timeoutMs })).rejects.toThrow(RangeError);
    expect(stub.requests).toEqual([]);
  });

  test("below the path of the address, with or without a slash at its end", async () => {
    for (const prefix of ["", "/", "/ml", "/ml/", "/ml?x=1#y"])
      await createClient(stub.url + prefix).predict("iris", 1, { version: "2" });
    const path = "/v1/models/iris/versions/2/predict";
    expect(stub.requests.map((request) => request.path)).toEqual([
      path,
      path,
      `/ml${path}`,
      `/ml${path}`,
      `/ml${path}`,
    ]);
  });

  test("names cannot lead to another path", async () => {
    await client().predict("a/../b?c#d", 1);
    expect(stub.requests[0]?.path).toBe("/v1/models/a%2F..%2Fb%3Fc%23d/predict");
    for (const name of ["..", ".", ""]) {
      await expect(client().predict(name, 1)).rejects.toThrow(TypeError);
      await expect(client().model("iris", { version: name })).rejects.toThrow(TypeError);
    }
    expect(stub.requests).toHaveLength(1);
  });

  test("an address that is none is refused when the client is made", () => {
    expect(() => createClient("localhost")).toThrow(TypeError);
  });

  test("bytes, files and BigInts anywhere in the inputs", async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const base64 = Buffer.from(bytes).toString("base64");
    const blob = new Blob([bytes]);
    await client().predict("own", [
      bytes,
      Buffer.from(bytes),
      blob,
      { image: new File([bytes], "a.png"), again: blob, id: 2n ** 60n },
      new Blob([]),
      { at: new Date(0), none: null, list: [true, "a", -1.5], "": undefined },
    ]);
    expect(JSON.parse(stub.requests[0]?.body ?? "")).toEqual({
      inputs: [
        base64,
        base64,
        base64,
        { image: base64, again: base64, id: "1152921504606846976" },
        "",
        { at: "1970-01-01T00:00:00.000Z", none: null, list: [true, "a", -1.5] },
      ],
    });
  });

  test("a fetch of one's own is used", async () => {
    const asked: string[] = [];
    const { models } = createClient("https://models.test/ml", {
      fetch: async (url, init) => {
        asked.push(`${init.method} ${url}`);
        return Response.json({ models: [] });
      },
    });
    expect(await models()).toEqual([]);
    expect(asked).toEqual(["GET https://models.test/ml/v1/models"]);
  });
});

describe("sent again", () => {
  test.each([
    [429, "rate_limited"],
    [503, "overloaded"],
  ])("a prediction that was refused with %s and Retry-After", async (status, code) => {
    stub.answers = [refusal(status, code, "0"), refusal(status, code, "1"), prediction];
    const { outputs } = await client().predict("iris", 1);
    expect(outputs).toEqual({ label: "setosa" });
    expect(stub.requests).toHaveLength(3);
    const [, second, third] = stub.requests.map(({ at }) => at);
    // A timer may be a little early.
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThan(950);
    expect(new Set(stub.requests.map(({ body }) => body)).size).toBe(1);
  });

  test("after a date in Retry-After, which may be over", async () => {
    stub.answers = [refusal(503, "overloaded", new Date(0).toUTCString()), prediction];
    await client().predict("iris", 1);
    expect(stub.requests).toHaveLength(2);
    stub.answers = [refusal(503, "overloaded", new Date(0).toUTCString())];
    const error = await failure(client({ maxRetries: 0 }).predict("iris", 1));
    expect(error.retryAfterSeconds).toBe(0);
  });

  test("at most as often as was asked for", async () => {
    stub.answers = [refusal(503, "overloaded", "0")];
    const error = await failure(client().predict("iris", 1));
    expect(error).toMatchObject({ status: 503, code: "overloaded", retryAfterSeconds: 0 });
    expect(stub.requests).toHaveLength(3);
    await failure(client({ maxRetries: 0 }).predict("iris", 1));
    expect(stub.requests).toHaveLength(4);
  });

  const never: [string, StubAnswer, Partial<NearcastClientError>][] = [
    ["429 without Retry-After", refusal(429, "rate_limited"), { code: "rate_limited" }],
    ["503 without Retry-After", refusal(503, "overloaded"), { code: "overloaded" }],
    ["a wait of an hour", refusal(429, "rate_limited", "3600"), { retryAfterSeconds: 3600 }],
    ["500 with Retry-After", refusal(500, "internal", "0"), { code: "internal" }],
    ["504", refusal(504, "deadline_exceeded"), { code: "deadline_exceeded" }],
    ["no answer", hangUp, { code: "network", status: 0 }],
    [
      "an answer that breaks off",
      (response) => {
        response.writeHead(200, { "Content-Length": 100 }).write('{"model":');
        setTimeout(() => response.destroy(), 50);
      },
      { code: "network", status: 0 },
    ],
  ];
  test.each(never)("no prediction after %s", async (_name, answer, expected) => {
    stub.answers = [answer];
    expect(await failure(client().predict("iris", 1))).toMatchObject(expected);
    expect(stub.requests).toHaveLength(1);
  });

  test("what only reads, also without an answer and after 502, 503 and 504", async () => {
    for (const answer of [
      hangUp,
      refusal(502, "model_corrupt"),
      refusal(503, "store_unavailable"),
      refusal(504, "deadline_exceeded"),
    ]) {
      stub.requests.length = 0;
      stub.answers = [answer, health];
      expect(await client().health()).toEqual({ status: "ok" });
      expect(stub.requests).toHaveLength(2);
    }
  });

  test("nothing that is wrong", async () => {
    for (const [status, code] of [
      [401, "unauthorized"],
      [404, "unknown_model"],
      [429, "rate_limited"],
    ] as const) {
      stub.requests.length = 0;
      stub.answers = [refusal(status, code)];
      expect(await failure(client().model("iris"))).toMatchObject({ status, code });
      expect(stub.requests).toHaveLength(1);
    }
  });

  test("not when the wait would exceed the timeout", async () => {
    stub.answers = [refusal(429, "rate_limited", "30")];
    const error = await failure(client().predict("iris", 1, { timeoutMs: 20_000 }));
    expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 30 });
  });
});

describe("ended", () => {
  test("by the timeout, as an error with the code timeout", async () => {
    stub.answers = [silence];
    const error = await failure(client().predict("iris", 1, { timeoutMs: 30 }));
    expect(error).toMatchObject({ status: 0, code: "timeout", detail: "No answer within 30 ms." });
    expect(await failure(client().health({ timeoutMs: 30 }))).toMatchObject({ code: "timeout" });
  });

  test("by the timeout, while an answer arrives", async () => {
    stub.answers = [(response) => response.writeHead(200).write("{")];
    const error = await failure(client().predict("iris", 1, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: "timeout" });
  });

  test("by the signal, with an AbortError or the reason that was given", async () => {
    stub.answers = [silence];
    for (const reason of [undefined, new Error("left the page")]) {
      stub.requests.length = 0;
      const controller = new AbortController();
      const call = client().predict("iris", 1, { signal: controller.signal, timeoutMs: 60_000 });
      const ended = expect(call).rejects.toMatchObject(reason ?? { name: "AbortError" });
      await expect.poll(() => stub.requests.length).toBe(1);
      controller.abort(reason);
      await ended;
    }
  });

  test("by the signal before anything is sent", async () => {
    const signal = AbortSignal.abort();
    // A client that ignores the signal would send it.
    const options = { fetch: (url: string) => fetch(url) };
    await expect(client(options).predict("iris", 1, { signal })).rejects.toBe(signal.reason);
    expect(stub.requests).toEqual([]);
  });

  test("by the signal just before it would wait to ask again", async () => {
    const controller = new AbortController();
    const refuse = async () => {
      controller.abort();
      return new Response(null, { status: 503, headers: { "Retry-After": "50" } });
    };
    const call = client({ fetch: refuse }).predict("iris", 1, { signal: controller.signal });
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
  }, 20_000);

  test("by the signal while it waits to ask again", async () => {
    stub.answers = [refusal(503, "overloaded", "50")];
    const controller = new AbortController();
    const call = client().predict("iris", 1, { signal: controller.signal });
    const ended = expect(call).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => stub.requests.length).toBe(1);
    setTimeout(() => controller.abort(), 100);
    await ended;
    expect(stub.requests).toHaveLength(1);
  });
});

describe("answers that are not the service's", () => {
  test.each<[string, StubAnswer, Partial<NearcastClientError>]>([
    [
      "a proxy's page",
      (response) => response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad</h1>"),
      { status: 502, detail: "The answer is not one of Nearcast's: status 502, text/html." },
    ],
    ["no body", (response) => response.writeHead(404).end(), { status: 404 }],
    ["200 that is not JSON", (response) => response.writeHead(200).end("ok"), { status: 200 }],
    ["200 without outputs", json(200, { hello: "world" }), { status: 200 }],
    ["200 with null", json(200, null), { status: 200 }],
    ["JSON that is no problem", json(400, { code: 5, detail: "x" }), { status: 400 }],
  ])("%s", async (_name, answer, expected) => {
    stub.answers = [answer];
    const error = await failure(client().predict("iris", 1));
    expect(error).toMatchObject({ code: "unexpected_answer", errors: [], ...expected });
    expect(error.message).toBe(error.detail);
  });

  test("nobody listens", async () => {
    const gone = await startStubService();
    await gone.stop();
    const error = await failure(createClient(gone.url).predict("iris", 1));
    expect(error).toMatchObject({ code: "network", status: 0, requestId: "" });
    expect(error.detail).toContain(gone.url);
    expect(error.cause).toBeInstanceOf(TypeError);
  });
});
