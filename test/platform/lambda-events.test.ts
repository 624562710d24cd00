import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LambdaEvent } from "hono/aws-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";
import { callerAddress } from "../../functions/platform/lambda-event.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";

const root = join(import.meta.dirname, "../..");
const digit = await readFile(join(root, "models/digits/1/model.json"), "utf8").then(
  (text) => (JSON.parse(text) as { examples: { input: string }[] }).examples[0]?.input ?? "",
);

type Event = Record<string, unknown> & {
  path?: string;
  rawPath?: string;
  pathParameters?: { proxy: string };
  requestContext: Record<string, unknown> & { http?: Record<string, unknown> };
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
};

/** Of each kind an event as AWS documents it, whose path, method, body and query each test sets. */
const KINDS = [
  "rest-api",
  "http-api",
  "function-url",
  "load-balancer",
  "load-balancer-multi-value",
] as const;
type Kind = (typeof KINDS)[number];

interface Asked {
  path?: string;
  method?: string;
  body?: string | Uint8Array;
  type?: string;
  query?: [name: string, value: string][];
}

async function eventOf(kind: Kind, asked: Asked = {}): Promise<Event> {
  const file = join(root, `test/fixtures/lambda-events/${kind}.json`);
  const event = JSON.parse(await readFile(file, "utf8")) as Event;
  const { path = "/v1/models/iris/predict", method = "POST", body, query = [] } = asked;
  if (event.rawPath !== undefined) {
    event.rawPath = path;
    event["rawQueryString"] = new URLSearchParams(query).toString().replaceAll("+", "%20");
    event.requestContext.http = { ...event.requestContext.http, method, path };
  } else {
    event.path = path;
    event["httpMethod"] = method;
    if (event.pathParameters) {
      event.pathParameters = { proxy: path.slice(1) };
      event.requestContext["path"] = `/prod${path}`;
    }
    // A load balancer hands names and values on as they came; a REST API decodes them.
    const coded = kind === "rest-api" ? (text: string) => text : encodeURIComponent;
    const pairs = query.map(([name, value]) => [coded(name), coded(value)] as const);
    event["queryStringParameters"] = Object.fromEntries(pairs);
    if ("multiValueQueryStringParameters" in event) {
      event["multiValueQueryStringParameters"] = Object.fromEntries(
        pairs.map(([name, value]) => [name, [value]]),
      );
    }
  }
  setHeader(event, "content-type", asked.type ?? "application/json");
  event["isBase64Encoded"] = typeof body === "object";
  event["body"] = typeof body === "object" ? Buffer.from(body).toString("base64") : (body ?? null);
  return event;
}

/** Under the name that the event has for it. */
function setHeader({ headers, multiValueHeaders }: Event, wanted: string, value: string): void {
  for (const name of Object.keys(headers ?? {}))
    if (headers && name.toLowerCase() === wanted) headers[name] = value;
  for (const name of Object.keys(multiValueHeaders ?? {}))
    if (multiValueHeaders && name.toLowerCase() === wanted) multiValueHeaders[name] = [value];
}

interface Answer {
  statusCode: number;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

const FLOWER = JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] });

function headerOf({ headers, multiValueHeaders }: Answer, name: string): string | undefined {
  return headers?.[name] ?? multiValueHeaders?.[name]?.[0];
}

async function http(change: (event: Event) => void): Promise<Event> {
  const event = await eventOf("http-api", { body: FLOWER });
  change(event);
  return event;
}

describe("the deployed function", () => {
  let lambda: Lambda;
  let dynamodb: DynamoDb;
  beforeAll(async () => {
    dynamodb = await startDynamoDb("rates");
    lambda = await startLambda({
      directory: lambdaDirectory,
      handler: "index.handler",
      env: {
        STORE: join(root, "models"),
        AUTH: "none",
        RATE_LIMIT: "1000/90000s",
        ...dynamodb.env,
      },
    });
  });
  afterAll(async () => {
    await lambda?.stop();
    await dynamodb?.stop();
  });

  async function invoke(event: Event): Promise<Answer> {
    const { payload, error } = await lambda.invoke(event);
    expect(error).toBeUndefined();
    return payload as Answer;
  }

  describe.each(KINDS)("asked by %s", (kind) => {
    test("JSON in, JSON out, with the headers in the form of the event", async () => {
      const event = await eventOf(kind, { body: FLOWER });
      const answer = await invoke(event);
      expect(answer.statusCode, answer.body).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ outputs: { label: "setosa" } });
      expect(headerOf(answer, "x-model-name")).toBe("iris");
      const multiValue = event.multiValueHeaders !== undefined;
      expect(answer.multiValueHeaders !== undefined).toBe(multiValue);
      expect(answer.headers !== undefined).toBe(!multiValue);
    });

    test("binary in and out, in base64", async () => {
      const tensor = { name: "features", shape: [1, 4], datatype: "FP32" };
      const head = Buffer.from(
        JSON.stringify({
          inputs: [{ ...tensor, parameters: { binary_data_size: 16 } }],
          parameters: { binary_data_output: true },
        }),
      );
      const floats = Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
      const event = await eventOf(kind, {
        path: "/v2/models/iris/infer",
        type: "application/octet-stream",
        body: Buffer.concat([head, floats]),
      });
      const length = String(head.length);
      if (event.headers) event.headers["inference-header-content-length"] = length;
      if (event.multiValueHeaders)
        event.multiValueHeaders["inference-header-content-length"] = [length];
      const answer = await invoke(event);
      expect([answer.statusCode, answer.isBase64Encoded], answer.body).toEqual([200, true]);
      const bytes = Buffer.from(answer.body, "base64");
      expect(bytes.length - Number(headerOf(answer, "inference-header-content-length"))).toBe(12);
    });

    test("an image in base64, with a parameter in the query", async () => {
      const body = new Uint8Array(Buffer.from(digit, "base64"));
      const answer = await invoke(
        await eventOf(kind, {
          path: "/v1/models/digits/predict",
          type: "image/png",
          body,
          query: [["top_k", "2"]],
        }),
      );
      expect(answer.statusCode, answer.body).toBe(200);
      const { outputs } = JSON.parse(answer.body) as { outputs: { scores: object } };
      expect(Object.keys(outputs.scores)).toHaveLength(2);
    });

    test("the query is decoded once", async () => {
      const answer = await invoke(
        await eventOf(kind, {
          path: "/v1/models/digits/predict",
          type: "image/png",
          body: new Uint8Array(Buffer.from(digit, "base64")),
          query: [["na\u00efve %20", "1"]],
        }),
      );
      expect([answer.statusCode, answer.body]).toEqual([
        422,
        expect.stringContaining("na\u00efve %20"),
      ]);
    });

    test("callers are told apart by the address that the gateway saw", async () => {
      const ask = async (address: string) => {
        const event = await eventOf(kind, { body: FLOWER });
        const text = JSON.stringify(event).replaceAll("203.0.113.9", address);
        const answer = await invoke(JSON.parse(text) as Event);
        return headerOf(answer, "ratelimit")?.split(";")[1];
      };
      const block = 20 + KINDS.indexOf(kind);
      expect(await ask(`192.0.2.${block}`)).toBe("r=999");
      expect(await ask(`192.0.2.${block}`)).toBe("r=998");
      expect(await ask(`192.0.2.${100 + block}`)).toBe("r=999");
    });

    test("an error is in the form of the event too", async () => {
      const answer = await invoke(
        await eventOf(kind, { path: "/v1/models/none/predict", body: FLOWER }),
      );
      expect([answer.statusCode, headerOf(answer, "content-type")]).toEqual([
        404,
        "application/problem+json",
      ]);
    });
  });

  test.each<[string, () => Promise<Event>]>([
    [
      "an HTTP API's named stage stands in the path",
      () =>
        http((event) => {
          event.rawPath = "/prod/v1/models/iris/predict";
          event.requestContext["stage"] = "prod";
        }),
    ],
    [
      "a stage that is called as the first part of a path",
      () =>
        http((event) => {
          event.rawPath = "/v1/v1/models/iris/predict";
          event.requestContext["stage"] = "v1";
        }),
    ],
    [
      "a domain of one's own before a named stage",
      () =>
        http((event) => {
          Object.assign(event.requestContext, { stage: "v1", domainName: "ml.example.com" });
        }),
    ],
    [
      "a path mapping of that domain",
      () =>
        http((event) => {
          event.rawPath = "/ml/v1/models/iris/predict";
          event["routeKey"] = "ANY /{proxy+}";
          event.pathParameters = { proxy: "v1/models/iris/predict" };
          Object.assign(event.requestContext, { stage: "prod", domainName: "ml.example.com" });
        }),
    ],
    [
      "an HTTP API with payload format 1.0",
      async () => {
        const event = await eventOf("rest-api", { body: FLOWER });
        const { pathParameters: _, ...rest } = event;
        return {
          ...rest,
          version: "1.0",
          resource: "$default",
          path: "/prod/v1/models/iris/predict",
        };
      },
    ],
    [
      "a REST API whose stage is called as the first part of the path",
      async () => {
        const event = await eventOf("rest-api", { body: FLOWER });
        Object.assign(event.requestContext, { stage: "v1", path: "/v1/v1/models/iris/predict" });
        return event;
      },
    ],
    [
      "a REST API behind a path mapping",
      async () => {
        const event = await eventOf("rest-api", { body: FLOWER });
        Object.assign(event.requestContext, { path: "/ml/v1/models/iris/predict" });
        return { ...event, path: "/ml/v1/models/iris/predict" };
      },
    ],
    [
      "a REST API's test in the console, without headers",
      async () => {
        const event = await eventOf("rest-api", { path: "/v1/models/iris", method: "GET" });
        return { ...event, headers: null, multiValueHeaders: null } as unknown as Event;
      },
    ],
  ])("%s", async (_what, made) => {
    const answer = await invoke(await made());
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.body).toMatch(/setosa/);
  });

  test("links begin with the stage of the client's URL", async () => {
    const rest = await eventOf("rest-api", { path: "/", method: "GET" });
    Object.assign(rest, { resource: "/", pathParameters: null });
    const staged = await eventOf("http-api", { path: "/prod", method: "GET" });
    staged.requestContext["stage"] = "prod";
    const plain = await eventOf("function-url", { path: "/", method: "GET" });
    for (const [event, url, docs] of [
      [rest, "/prod", "/prod/docs"],
      [staged, "/prod", "/prod/docs"],
      [plain, "/", "/docs"],
    ] as const) {
      const [, link = ""] = /href="([^"]*docs)"/.exec((await invoke(event)).body) ?? [];
      expect(new URL(link, `https://api.example${url}`).pathname).toBe(docs);
    }
  });

  test("a load balancer's health check", async () => {
    const event = await eventOf("load-balancer", { path: "/ready", method: "GET" });
    event.headers = { "user-agent": "ELB-HealthChecker/2.0" };
    expect((await invoke(event)).statusCode).toBe(200);
  });
});

test.each<[string, Kind, number, string | undefined, string]>([
  ["what API Gateway saw", "http-api", 0, "192.0.2.1, 203.0.113.9", "203.0.113.9"],
  ["the client before a CDN", "http-api", 1, "192.0.2.1, 203.0.113.9", "192.0.2.1"],
  ["made up by the client", "http-api", 1, "6.6.6.6, 192.0.2.1, 203.0.113.9", "192.0.2.1"],
  ["before a REST API's CDN", "rest-api", 1, "192.0.2.1, 203.0.113.9", "192.0.2.1"],
  ["what a load balancer saw", "load-balancer", 0, "6.6.6.6, 203.0.113.9", "203.0.113.9"],
  ["the client before a CDN", "load-balancer", 1, "6.6.6.6, 192.0.2.1, 203.0.113.9", "192.0.2.1"],
  ["in two header lines", "load-balancer-multi-value", 0, undefined, "203.0.113.9"],
  ["no proxy on the way", "function-url", 1, "203.0.113.9", "203.0.113.9"],
])(
  "the caller's address: %s (%s, %i proxies)",
  async (_what, kind, proxies, forwarded, address) => {
    const event = await eventOf(kind);
    if (forwarded !== undefined) setHeader(event, "x-forwarded-for", forwarded);
    expect(callerAddress(event as unknown as LambdaEvent, proxies)).toBe(address);
  },
);
