import { Agent, request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import type { Target } from "../harness/targets.ts";
import { AUTHORIZATION } from "./caller.ts";
import type { Attack, RawAttack } from "./request.ts";

export interface Answer {
  status: number;
  contentType: string;
  body: Buffer;
}

/** Longer than any answer may take, on a machine with much else to do. */
const PATIENCE_MS = 30_000;

export interface Sender {
  send: (attack: Attack) => Promise<Answer>;
  /**
   * What came back on the connection until it was closed, undefined when nothing did in time and it was not;
   * absent where there is no socket.
   */
  sendRaw: ((attack: RawAttack) => Promise<string | undefined>) | undefined;
  close: () => void;
}

/** Sends bytes as they are where the target has a socket, and what a Request can hold where not. */
export function createSender(target: Target): Sender {
  const { url } = target;
  if (!url)
    return { send: (attack) => sendRequest(target, attack), sendRaw: undefined, close() {} };
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const sendOnce = (attack: Attack) => sendOverHttp({ agent, hostname, port }, attack);
  return {
    send: (attack) =>
      sendOnce(attack).catch((error: unknown) => {
        if (error !== STALE) throw error;
        return sendOnce(attack);
      }),
    sendRaw: (attack) => sendBytes({ host: hostname, port: Number(port) }, attack),
    close: () => agent.destroy(),
  };
}

interface Address {
  agent: Agent;
  hostname: string;
  port: string;
}

/** The server closed the connection after a refusal, just when it was to be used again. */
const STALE = new Error("the connection was closed before the request");

function sendOverHttp(address: Address, attack: Attack): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = attack;
    const sent = request({ ...address, method, path, headers: listed(headers, body) });
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error("no answer in time")));
    let answered = false;
    sent.on("response", (response: IncomingMessage) => {
      answered = true;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve(answerOf(statusCode, new Headers(headers as HeadersInit), Buffer.concat(chunks)));
      });
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (answered) return;
      const stale = sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(stale ? STALE : error);
    });
    sent.end(body);
  });
}

/** Node's form for headers of which a name may come twice; without a length Node would send chunks. */
function listed(headers: Attack["headers"], body: Buffer | undefined): string[] {
  const length: Attack["headers"] = body ? [["Content-Length", String(body.length)]] : [];
  return [["Host", "localhost"], ...withKey(headers), ...length].flat();
}

/** With the key, where the attack has no credentials of its own. */
function withKey(headers: Attack["headers"]): Attack["headers"] {
  const has = headers.some(([name]) => name.toLowerCase() === AUTHORIZATION[0].toLowerCase());
  return has ? headers : [...headers, AUTHORIZATION];
}

async function sendRequest(target: Target, attack: Attack): Promise<Answer> {
  const { method, path, headers, body } = attack;
  const bodiless = method === "GET" || method === "HEAD";
  const response = await target.fetch(path.replace(/^\/+/, "/"), {
    method,
    headers: withKey(headers).map(([name, value]): [string, string] => [name, value]),
    ...(body && !bodiless && { body: new Uint8Array(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const { status } = response;
  return answerOf(status, response.headers, Buffer.from(await response.arrayBuffer()));
}

const DECODERS: Record<string, (body: Buffer) => Buffer> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

function answerOf(status: number, headers: Headers, body: Buffer): Answer {
  const decode = DECODERS[headers.get("content-encoding") ?? ""];
  const contentType = headers.get("content-type") ?? "";
  return { status, contentType, body: decode && body.length > 0 ? decode(body) : body };
}

const QUIET_MS = 60;

function sendBytes(
  address: { host: string; port: number },
  { bytes, whole }: RawAttack,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const chunks: Buffer[] = [];
    let silent = false;
    // What promised more than it sends would wait for its time-out: it goes away after a while.
    let quiet = setTimeout(
      () => {
        silent = whole;
        socket.destroy();
      },
      whole ? PATIENCE_MS : QUIET_MS * 5,
    );
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), QUIET_MS);
    });
    // The server may refuse before all is sent.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(quiet);
      resolve(silent ? undefined : Buffer.concat(chunks).toString("latin1"));
    });
  });
}
