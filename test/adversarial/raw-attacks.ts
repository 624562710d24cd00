import { AUTHORIZATION } from "./caller.ts";
import type { Random } from "./random.ts";
import type { RawAttack } from "./request.ts";

const CHUNKED = "Transfer-Encoding: chunked";
const BODY = '{"inputs":[5.1,3.5,1.4,0.2]}';

const length = (value: unknown) => `Content-Length: ${String(value)}`;
const post = (headers: string[], body: string, path = "/v1/models/iris/predict") =>
  `POST ${path} HTTP/1.1\r\n${["Host: a", AUTHORIZATION.join(": "), "Content-Type: application/json", ...headers].join("\r\n")}\r\n\r\n${body}`;

/** Bytes on a connection that are not one sound HTTP request; for targets that have a socket. */
export function rawAttack(random: Random): RawAttack {
  const made = random.pick<() => string | { unfinished: string }>([
    () =>
      post(
        [length(random.pick([-1, "+5", "0x5", "5, 5", "a", "", "9".repeat(30), 7_000_000]))],
        BODY,
      ),
    () => ({ unfinished: post([length(BODY.length + random.pick([1, 1000, 100_000]))], BODY) }),
    () => post([length(random.below(BODY.length))], BODY),
    () => post([length(BODY.length), length(random.pick([BODY.length, 5]))], BODY),
    () => post([length(BODY.length), CHUNKED], `5\r\n${BODY.slice(0, 5)}\r\n0\r\n\r\n`),
    () => post([CHUNKED], `${random.pick(["5", "-5", "zz", "1;x=y", ""])}\r\n${BODY}\r\n0\r\n\r\n`),
    () => ({ unfinished: post([CHUNKED], `${BODY.length.toString(16)}\r\n${BODY}\r\n`) }),
    () =>
      post(
        [
          `Transfer-Encoding: ${random.pick(["gzip, chunked", "xchunked", "chunked, chunked", "identity", "\vchunked"])}`,
        ],
        BODY,
      ),
    () => post([length(BODY.length), "Connection: close"], BODY).repeat(random.pick([2, 20])),
    () => post([length(BODY.length), `X: ${"y".repeat(random.pick([17_000, 70_000]))}`], BODY),
    () =>
      post(
        [length(BODY.length), "Bad Name: x", "X:\0", " folded: y"].slice(0, 2 + random.below(3)),
        BODY,
      ),
    () =>
      post(
        [length(BODY.length)],
        BODY,
        random.pick([
          "",
          "*",
          "http://other/health",
          "//",
          "/\u00e9",
          "/a b",
          `/${"a".repeat(20_000)}`,
          "/\0",
        ]),
      ),
    () => post(["Expect: 200-maybe", length(BODY.length)], BODY),
    () =>
      `${random.pick(["GET / HTTP/9.9", "GET /", "get / HTTP/1.1", "CONNECT a:1 HTTP/1.1", "TRACE / HTTP/1.1", "PRI * HTTP/2.0", "GET  / HTTP/1.1", "\x16\x03\x01\x02"])}\r\nHost: a\r\n\r\n`,
    () => "GET /health HTTP/1.1\r\n\r\n",
    () =>
      `GET /health HTTP/1.1\r\nHost: ${random.pick(["", "a b", "a:99999", "[::1", "é", "a\r\nHost: b", "@", "a/b?c#d"])}\r\n\r\n`,
    () =>
      `POST /v1/models/iris/predict HTTP/1.0\r\n${length(BODY.length)}\r\nContent-Type: application/json\r\n\r\n${BODY}`,
    () =>
      `GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${random.pick(["websocket", "h2c"])}\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    () => ({ unfinished: post([CHUNKED], `FFFFFFFFFFFFFFFF\r\n${BODY}\r\n0\r\n\r\n`) }),
    () => ({ unfinished: random.bytes(random.below(100)).toString("latin1") }),
  ])();
  const whole = typeof made === "string";
  return { kind: "raw", bytes: Buffer.from(whole ? made : made.unfinished, "latin1"), whole };
}
