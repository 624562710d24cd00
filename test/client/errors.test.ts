import { describe, expect, test } from "vitest";
import { createClient, type NearcastClientError } from "../../client/src/index.ts";
import { failure } from "./failure.ts";
import { hangUp, json, prediction, refusal, silence, useStubService } from "./stub-service.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

const stub = useStubService();

describe("onError", () => {
  test("gets the error of each failed call once, after its retries", async () => {
    const told: NearcastClientError[] = [];
    const client = createClient(stub.url, { onError: (error) => void told.push(error) });
    stub.answers = [refusal(503, "overloaded", "0"), prediction];
    await client.predict("iris", 1);
    expect(told).toEqual([]);
    stub.answers = [refusal(503, "overloaded", "0")];
    const failed = await failure(client.predict("iris", 1));
    expect(told).toHaveLength(1);
    expect(told[0]).toBe(failed);
    for (const call of [
      () => client.embed("search", "a"),
      () => client.rerank("ranker", "a", ["b"]),
      () => client.feedback("r1", "setosa"),
      () => client.models(),
      () => client.jobs.submit("iris", 1),
      () => client.jobs.wait("one"),
      () => client.jobs.events("one").next(),
    ]) {
      told.length = 0;
      stub.answers = [refusal(401, "unauthorized")];
      expect(await failure(call())).toBe(told[0]);
      expect(told).toHaveLength(1);
    }
  });

  test("is told of a timeout, and not of an aborted signal", async () => {
    const told: string[] = [];
    const client = createClient(stub.url, { onError: ({ code }) => void told.push(code) });
    stub.answers = [silence];
    await failure(client.predict("iris", 1, { timeoutMs: 30 }));
    await expect(client.health({ signal: AbortSignal.abort() })).rejects.toThrow();
    expect(told).toEqual(["timeout"]);
  });

  test("cannot hide the error", async () => {
    stub.answers = [refusal(401, "unauthorized")];
    const client = createClient(stub.url, {
      onError() {
        throw new Error("the hook is broken");
      },
    });
    const failed = await failure(client.models());
    expect(failed.code).toBe("unauthorized");
  });
});

describe("the ids of a failed call", () => {
  test("are those of the answer, and where there is none, those that were sent", async () => {
    const client = createClient(stub.url, { maxRetries: 0 });
    const other = TRACE.replaceAll("0", "1");
    const headers = { "X-Request-Id": "theirs", traceparent: `00-${other}-b7ad6b7169203331-01` };
    stub.answers = [json(500, { code: "internal", detail: "x" }, headers)];
    const options = { requestId: "mine", traceparent };
    const answered = await failure(client.predict("iris", 1, options));
    expect(answered).toMatchObject({ requestId: "theirs", traceId: other });
    expect(stub.requests[0]?.headers).toMatchObject({ traceparent });
    stub.answers = [hangUp];
    const unanswered = await failure(client.predict("iris", 1, options));
    expect(unanswered).toMatchObject({ code: "network", requestId: "mine", traceId: TRACE });
    stub.answers = [silence];
    const late = await failure(client.predict("iris", 1, { ...options, timeoutMs: 30 }));
    expect(late).toMatchObject({ code: "timeout", requestId: "mine", traceId: TRACE });
  });

  test("are empty without any, and the client's headers may have the trace", async () => {
    stub.answers = [hangUp];
    const untraced = await failure(createClient(stub.url).predict("iris", 1));
    expect(untraced).toMatchObject({ requestId: "", traceId: "" });
    expect(stub.requests[0]?.headers).not.toHaveProperty("traceparent");
    const traced = createClient(stub.url, { headers: { traceparent } });
    expect((await failure(traced.predict("iris", 1))).traceId).toBe(TRACE);
  });
});

describe("what embed, rerank and feedback send", () => {
  test("is what the native routes take", async () => {
    const client = createClient(stub.url);
    stub.answers = [prediction];
    await client.embed("search", ["a"], { dimensions: 8, precision: "int8", promptName: "query" });
    stub.answers = [json(200, { model: "r", version: "1", outputs: [{ index: 1, score: 0.5 }] })];
    const { outputs } = await client.rerank("ranker", "a", ["b", "c"], { topN: 1, version: "2" });
    expect(outputs).toEqual([{ index: 1, score: 0.5, document: "c" }]);
    stub.answers = [hangUp, json(200, { request_id: "r1", status: "counted" })];
    expect(await client.feedback("r1", ["setosa", null])).toBe("counted");
    expect(stub.requests.map(({ path, body }) => [path, JSON.parse(body) as unknown])).toEqual([
      [
        "/v1/models/search/predict",
        {
          inputs: ["a"],
          parameters: { dimensions: 8, precision: "int8", prompt_name: "query" },
        },
      ],
      [
        "/v1/models/ranker/versions/2/predict",
        { inputs: { query: "a", texts: ["b", "c"] }, parameters: { top_k: 1 } },
      ],
      ["/v1/feedback", { request_id: "r1", outcome: ["setosa", null] }],
      ["/v1/feedback", { request_id: "r1", outcome: ["setosa", null] }],
    ]);
  });
});
