import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { serve, type HttpBindings } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import { boundedServer } from "../../functions/platform/bounded-server.ts";
import { headerReader, readConnection } from "../../functions/platform/read-connection.ts";

/** A request whose client has sent its first bytes, and the client. */
async function arriving(first: Buffer, length = first.length) {
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const headers = { "Content-Length": length };
  const client = request({ host: "127.0.0.1", port, method: "POST", headers });
  client.on("error", () => undefined);
  onTestFinished(() => void client.destroy());
  const arrived = once(server, "request");
  client.write(first);
  const [incoming] = (await arrived) as [IncomingMessage];
  const raw = new Request("http://localhost/", { method: "POST" });
  const read = (other = raw) => readConnection({ incoming, request: raw }, other);
  return { client, incoming, raw, read };
}

test("a body is read whole, in one piece or in many", async () => {
  const one = await arriving(Buffer.from("flower"));
  expect(Buffer.from((await one.read()) ?? []).toString()).toBe("flower");

  const large = Buffer.from("flower".repeat(100_000));
  const many = await arriving(large.subarray(0, 7), large.length);
  const reading = many.read();
  many.client.end(large.subarray(7));
  expect(Buffer.compare(Buffer.from((await reading) ?? []), large)).toBe(0);
});

test("bodies that follow one another on a connection are each whole", async () => {
  const bodies = [200_001, 65_536, 3, 131_072, 90_000].map((length, index) =>
    Buffer.alloc(length, String(index)),
  );
  const read: Buffer[] = [];
  const server = createServer((incoming, response) => {
    const raw = new Request("http://localhost/", { method: "POST" });
    const reading = readConnection({ incoming, request: raw }, raw);
    const answer = async () => {
      read.push(Buffer.from((await reading) ?? []));
      response.end();
    };
    void answer();
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  for (const body of bodies) {
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  }
  socket.resume();
  await expect.poll(() => read.length).toBe(bodies.length);
  for (const [index, body] of bodies.entries())
    expect(Buffer.compare(read[index] as Buffer, body)).toBe(0);
});

test("a body whose client goes away is no whole body", async () => {
  const { client, read } = await arriving(Buffer.from("flow"), 6);
  const reading = read();
  client.destroy();
  await expect(reading).rejects.toThrow();
});

test("nothing is read for another request, one that was read before, or a closed connection", async () => {
  const { client, incoming, raw, read } = await arriving(Buffer.from("flow"), 6);
  expect(read(new Request(raw))).toBeUndefined();
  expect(readConnection(undefined, raw)).toBeUndefined();
  incoming.once("data", () => undefined);
  while (!incoming.readableDidRead) await setImmediate();
  expect(read()).toBeUndefined();

  client.destroy();
  const closed = await arriving(Buffer.from("flow"), 6);
  closed.incoming.on("error", () => undefined);
  closed.client.destroy();
  while (!closed.incoming.destroyed) await setImmediate();
  expect(closed.read()).toBeUndefined();
});

/** A server with bounds, and what it answers the header fields that a client sends. */
async function serving(fetch: (request: Request, bindings: HttpBindings) => Response) {
  const server = serve({
    fetch: (request, bindings) => fetch(request, bindings as HttpBindings),
    port: 0,
    hostname: "127.0.0.1",
    createServer: boundedServer({ requestTimeoutMs: 1000, bodyBudgetBytes: 1000 }),
  });
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return async (fields: readonly string[]): Promise<string> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(["GET / HTTP/1.1", ...fields, "", ""].join("\r\n"), "latin1");
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString("latin1").split("\r\n", 1)[0] ?? "";
  };
}

test("header fields are those of the Request, also when they come more than once", async () => {
  const names = [
    "Content-Type",
    "accept",
    "X-Own",
    "cookie",
    "Host",
    "prefer",
    "constructor",
    "empty",
  ];
  const got: { fast: unknown[]; slow: unknown[] }[] = [];
  const ask = await serving((request, { incoming }) => {
    const header = headerReader({ incoming, request }, request);
    const slow = names.map((name) => request.headers.get(name) ?? undefined);
    got.push({
      fast: [...names.map((name) => header?.(name)), header?.()],
      slow: [...slow, Object.fromEntries(request.headers)],
    });
    return new Response();
  });
  const fields = ["Host: a", "Content-Type: text/plain", "content-type: text/csv", "X-Own: \u00e9"];
  const more = ["x-own:  b ", "Cookie: a=1", "Cookie: b=2", "Accept: a/b", "Accept: c/d", "Empty:"];
  expect(await ask([...fields, ...more])).toBe("HTTP/1.1 200 OK");
  const [{ fast, slow } = { fast: [], slow: [] }] = got;
  expect(fast).toEqual(slow);
  expect(fast).toContain("text/plain, text/csv");
  expect(fast).toContain("");
});

test("a request of two hosts, or of two lengths, is refused", async () => {
  const ask = await serving(() => new Response());
  for (const second of ["Host: b", "Host:", "Content-Length: 0", "Content-Length: 1"])
    expect(await ask(["Host: a", "Content-Length: 0", second])).toBe("HTTP/1.1 400 Bad Request");
});

test("header fields are not read for another request", async () => {
  const { incoming, raw } = await arriving(Buffer.from("flower"));
  expect(headerReader({ incoming, request: raw }, raw)).toBeTypeOf("function");
  expect(headerReader({ incoming, request: raw }, new Request(raw))).toBeUndefined();
  expect(headerReader(undefined, raw)).toBeUndefined();
});
