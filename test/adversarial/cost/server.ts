import { rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { startNodeServer, type NodeServer } from "../../harness/node-server.ts";
import { residentMemory } from "../../../bench/processes.ts";
import type { Attack } from "../request.ts";
import type { Usage } from "./probe.ts";

/** What one request cost. */
export interface Cost extends Usage {
  /** 0 where there was no answer. */
  status: number;
  /** The code of a refusal. */
  code: string;
  /** Bytes of the answer. */
  answer: number;
  /** MiB that the process held at its highest, beyond what it held before. */
  memory: number;
  /** Milliseconds that the slowest `/health` beside it took. */
  health: number;
  /** What ended the server. */
  ended?: "died" | "too slow" | "too large";
}

export interface ServerUnderTest {
  measure: (attack: Attack) => Promise<Cost>;
  /** Starts the server anew, so that it holds nothing of earlier requests. */
  restart: () => Promise<void>;
  /** Milliseconds of processor time of a plain request. */
  floor: () => Promise<number>;
  stop: () => Promise<void>;
}

const LONGEST_MS = 20_000;
const MOST_MIB = 2048;
/** What a server kept of earlier requests would hide what the next one takes. */
const MOST_KEPT_MIB = 150;
const LOOK_EVERY_MS = 20;
const FLOOR_REQUESTS = 300;

/** A server that is measured from inside. It is started anew when it dies, or keeps much of what a request took. */
export async function startServerUnderTest(
  env: Record<string, string>,
  warmUp: readonly Attack[],
): Promise<ServerUnderTest> {
  const socket = join(tmpdir(), `nearcast-cost-${process.pid}.sock`);
  const probe = new URL("probe.ts", import.meta.url).href;
  let url = "";
  let pid = 0;
  let server: NodeServer | undefined;
  let warmMiB = 0;

  async function start(): Promise<void> {
    await rm(socket, { force: true });
    server = await startNodeServer({
      // Nothing is refused for the load of others, and what takes long shows how long.
      env: {
        MAX_QUEUE_MS: "60000",
        ACCESS_LOG: "false",
        DEFAULT_MODEL: "iris",
        ...env,
        COST_PROBE: socket,
        NODE_OPTIONS: `--import=${probe}`,
      },
    });
    ({ url, pid } = server);
    for (let turn = 0; turn < 2; turn++)
      for (const attack of warmUp) await send(url, attack).catch(() => undefined);
    await usage(socket);
    warmMiB = (await residentMemory(pid)).now;
  }

  async function restart(): Promise<void> {
    process.kill(pid, "SIGKILL");
    await server?.stop().catch(() => undefined);
    await start();
  }

  async function measure(attack: Attack): Promise<Cost> {
    if ((await residentMemory(pid)).now > warmMiB + MOST_KEPT_MIB) await restart();
    await usage(socket);
    // Sets the process's peak to what it holds now (proc(5)).
    await writeFile(`/proc/${pid}/clear_refs`, "5").catch(() => undefined);
    const before = (await residentMemory(pid)).now;
    let ended: Cost["ended"];
    const started = performance.now();
    const end = (how: NonNullable<Cost["ended"]>): void => {
      ended ??= how;
      process.kill(pid, "SIGKILL");
    };
    const bounds = setInterval(() => {
      if (performance.now() - started > LONGEST_MS) end("too slow");
      void residentMemory(pid).then(({ now }) => now > MOST_MIB && end("too large"));
    }, LOOK_EVERY_MS);
    const beside = askHealth(url);
    const answered = await send(url, attack).catch((): Answer => ({
      status: 0,
      bytes: 0,
      code: "",
    }));
    const wall = performance.now() - started;
    clearInterval(bounds);
    const health = await beside.end();
    const memory = (await residentMemory(pid)).peak - before;
    const used = await usage(socket).catch(() => undefined);
    if (!used || ended) {
      const cost = { cpu: wall, piece: wall, memory: ended === "too large" ? MOST_MIB : memory };
      await restart();
      return { ...answered, answer: 0, ...cost, health, status: 0, ended: ended ?? "died" };
    }
    return {
      status: answered.status,
      code: answered.code,
      answer: answered.bytes,
      ...used,
      memory,
      health,
    };
  }

  async function floor(): Promise<number> {
    const [plain] = warmUp;
    if (!plain) throw new Error("There is no plain request.");
    await usage(socket);
    for (let turn = 0; turn < FLOOR_REQUESTS; turn++) await send(url, plain);
    return (await usage(socket)).cpu / FLOOR_REQUESTS;
  }

  await start();
  return {
    measure,
    restart,
    floor,
    stop: async () => {
      await server?.stop();
      await rm(socket, { force: true });
    },
  };
}

interface Answer {
  status: number;
  code: string;
  bytes: number;
}

function send(url: string, { method, path, headers, body }: Attack): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body ? [["Content-Length", String(body.length)]] : [];
    const sent = request({
      hostname,
      port,
      method,
      path,
      agent: false,
      headers: [["Host", "localhost"], ...headers, ...length].flat(),
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let [bytes, head] = [0, ""];
      response.on("data", (chunk: Buffer) => {
        if (bytes < 2000) head += chunk.toString("latin1");
        bytes += chunk.length;
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0 } = response;
        const code = status < 400 ? "" : (/"code":"(\w+)"/.exec(head)?.[1] ?? "");
        resolve({ status, bytes, code });
      });
    });
    sent.end(body);
  });
}

/** Asks for `/health`, again and again, until it ends. */
function askHealth(url: string): { end: () => Promise<number> } {
  let slowest = 0;
  const over = new AbortController();
  const plain: Attack = { kind: "health", method: "GET", path: "/health", headers: [] };
  const asking = (async () => {
    while (!over.signal.aborted) {
      const start = performance.now();
      await send(url, plain).catch(() => undefined);
      slowest = Math.max(slowest, performance.now() - start);
      await sleep(10);
    }
  })();
  return {
    async end() {
      over.abort();
      await asking;
      return slowest;
    },
  };
}

async function usage(path: string): Promise<Usage> {
  return JSON.parse(await text(connect(path))) as Usage;
}
