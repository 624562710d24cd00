import { Hono } from "hono";
import type { LambdaEvent } from "hono/aws-lambda";
import { cors } from "hono/cors";
import { describe, expect, test } from "vitest";
import { createEventAnswer, resultOf } from "../../functions/platform/lambda-answer.ts";
import { EventRequest } from "../../functions/platform/lambda-request.ts";

const HTTP = { http: { method: "POST" }, domainName: "api.example.com" };

function request(event: object): Request {
  return new EventRequest({ requestContext: HTTP, rawPath: "/x", ...event }) as unknown as Request;
}

describe("the request of an event has what a Request has", () => {
  test("header fields under any case, joined, without the gateway's transfer encoding", () => {
    const { headers } = request({
      headers: { Accept: "text/html", "Transfer-Encoding": "chunked", "x-name": "é", "X-Own": "" },
      multiValueHeaders: { "X-Forwarded-For": ["1.2.3.4", "5.6.7.8"], Cookie: ["a=1", "b=2"] },
    });
    expect(headers.get("ACCEPT")).toBe("text/html");
    expect(headers.get("x-forwarded-for")).toBe("1.2.3.4, 5.6.7.8");
    expect(headers.get("Cookie")).toBe("a=1; b=2");
    expect(headers.get("x-name")).toBe("%C3%A9");
    expect(headers.get("x-own")).toBe("");
    expect(headers.has("Transfer-Encoding")).toBe(false);
  });

  test("an address as a URL has it", () => {
    const { url } = request({ rawPath: "/a/../b c", rawQueryString: "q=%20" });
    expect(url).toBe("https://api.example.com/b%20c?q=%20");
    expect(() => request({ requestContext: { domainName: "a b" } })).toThrow(TypeError);
    for (const event of [{ headers: { host: "" } }, { multiValueHeaders: { host: [""] } }])
      expect(request({ requestContext: {}, ...event }).url).toBe("https://localhost/x");
  });

  test.each([false, true])("the body in each form, in base64: %s", async (isBase64Encoded) => {
    const text = "a=Größe";
    const given = {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: isBase64Encoded ? Buffer.from(text).toString("base64") : text,
      isBase64Encoded,
    };
    const bytes = new TextEncoder().encode(text);
    expect(request(given).headers.get("content-length")).toBe(String(bytes.byteLength));
    expect(new Uint8Array(await request(given).arrayBuffer())).toEqual(bytes);
    expect(await request(given).text()).toBe(text);
    expect(await (await request(given).blob()).text()).toBe(text);
    expect(await request(given).clone().text()).toBe(text);
    expect([...(await request(given).formData())]).toEqual([["a", "Größe"]]);
    expect(request({}).body).toBeNull();
  });
});

describe("the answer to an event", () => {
  const init = { status: 201, headers: { "Content-Type": "application/json" } };
  const http = { requestContext: HTTP } as unknown as LambdaEvent;

  test("text goes as it is, bytes in base64", async () => {
    expect(await resultOf(http, createEventAnswer("{}", init))).toEqual({
      statusCode: 201,
      headers: { "content-type": "application/json" },
      body: "{}",
      isBase64Encoded: false,
    });
    const text = new TextEncoder().encode("{}");
    const result = { body: "{}", isBase64Encoded: false };
    expect(await resultOf(http, createEventAnswer(text, init))).toMatchObject(result);
    for (const [bytes, type, body] of [
      [[1, 2], "application/octet-stream", "AQI="],
      [[0xff, 0xfe], "application/json", "//4="],
    ] as const) {
      const answer = createEventAnswer(Uint8Array.from(bytes), {
        status: 200,
        headers: { "Content-Type": type },
      });
      expect(await resultOf(http, answer)).toMatchObject({ body, isBase64Encoded: true });
    }
  });

  test("what middleware changes is in it", async () => {
    const app = new Hono()
      .use(cors({ origin: "*" }))
      .use(async (c, next) => {
        await next();
        c.header("X-After", "1");
        c.header("Set-Cookie", "a=1", { append: true });
      })
      .post("/x", () => createEventAnswer("{}", init));
    const answered = await app.fetch(request({ headers: { origin: "https://a.example" } }));
    expect(await resultOf(http, answered)).toMatchObject({
      statusCode: 201,
      headers: { "access-control-allow-origin": "*", "x-after": "1" },
      cookies: ["a=1"],
      body: "{}",
    });
  });

  test.each([
    [{ requestContext: HTTP }, { cookies: ["a=1", "b=2"], headers: {} }],
    [{ requestContext: {} }, { multiValueHeaders: { "set-cookie": ["a=1", "b=2"] } }],
    [{ requestContext: { elb: {} } }, { headers: { "set-cookie": "a=1" } }],
    [
      { requestContext: { elb: {} }, multiValueHeaders: {} },
      { multiValueHeaders: { "set-cookie": ["a=1", "b=2"] } },
    ],
  ])("cookies in the form of the event %j", async (event, expected) => {
    const headers = new Headers();
    for (const cookie of ["a=1", "b=2"]) headers.append("set-cookie", cookie);
    const answer = new Response(null, { headers });
    expect(await resultOf(event as unknown as LambdaEvent, answer)).toMatchObject(expected);
  });
});
