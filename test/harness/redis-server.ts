import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { ADD_BATCH } from "../../functions/platform/counters/redis.ts";
import { createStreams, type Reply } from "./redis-streams.ts";

/** `stall` reads and never answers. `down` closes all connections and refuses new ones. */
export type RedisBehaviour = "ok" | "stall" | "down";

export interface RedisServer {
  readonly url: string;
  /** The names of the commands so far. */
  readonly commands: string[];
  /** The keys that have not expired. */
  keys: () => string[];
  /** Writes a value that does not expire. */
  put: (key: string, value: string) => void;
  behave: (behaviour: RedisBehaviour) => void;
  stop: () => Promise<void>;
}

interface Entry {
  value: Buffer;
  /** The fields of a hash. */
  hash?: Map<string, number>;
  expiresAt: number;
}

/**
 * Starts a Redis over TCP with what the functions use: RESP2, strings and sums that expire, streams, transactions, some
 * scripts.
 */
export async function startRedis(): Promise<RedisServer> {
  const entries = new Map<string, Entry>();
  const streams = createStreams();
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let behaviour: RedisBehaviour = "ok";

  const run = (words: string[]): Reply => streams(words) ?? execute(entries, words);

  const server = createServer((socket) => {
    if (behaviour === "down") return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    let queued: string[][] | undefined;
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let read = readCommand(pending); read; read = readCommand(pending)) {
        pending = pending.subarray(read.end);
        const name = read.words[0]?.toUpperCase() ?? "";
        commands.push(name);
        const reply = answer(name, read.words);
        if (behaviour === "ok") socket.write(encode(reply));
      }
    });

    function answer(name: string, words: string[]): Reply {
      if (name === "MULTI") {
        queued = [];
        return "OK";
      }
      if (name === "EXEC") {
        const commands = queued ?? [];
        queued = undefined;
        return commands.map(run);
      }
      if (!queued) return run(words);
      queued.push(words);
      return "QUEUED";
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const disconnect = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    commands,
    keys: () => [...entries.keys()].filter((key) => find(entries, key)),
    put(key, value) {
      entries.set(key, { value: Buffer.from(value), expiresAt: Infinity });
    },
    behave(next) {
      behaviour = next;
      if (next === "down") disconnect();
    },
    async stop() {
      disconnect();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function execute(entries: Map<string, Entry>, [name = "", key = "", ...rest]: string[]): Reply {
  switch (name.toUpperCase()) {
    case "PING":
      return "PONG";
    case "SET":
      return set(entries, key, rest);
    case "GET":
      return find(entries, key)?.value ?? null;
    case "INCRBY":
      return add(entries, key, Number(rest[0]));
    case "DECRBY":
      return add(entries, key, -Number(rest[0]));
    case "EVAL":
      return rest[0] === undefined || key !== ADD_BATCH
        ? new Error("ERR this script is not known")
        : addBatch(entries, rest.slice(1, 1 + Number(rest[0])), rest.slice(1 + Number(rest[0])));
    case "HGETALL":
      return [...(find(entries, key)?.hash ?? [])].flatMap(([field, sum]) => [
        Buffer.from(field, "latin1"),
        Buffer.from(String(sum)),
      ]);
    case "PTTL": {
      const found = find(entries, key);
      if (!found) return -2;
      return found.expiresAt === Infinity ? -1 : Math.ceil(found.expiresAt - performance.now());
    }
    default:
      return new Error(`ERR unknown command '${name}'`);
  }
}

/** What the script of {@link ADD_BATCH} does. */
function addBatch(entries: Map<string, Entry>, keys: string[], numbers: string[]): Reply {
  const [last = "", ...hashes] = keys;
  const [turn = "", remembered = "", ...rest] = numbers;
  if (Number(find(entries, last)?.value.toString() ?? 0) >= Number(turn)) return 0;
  set(entries, last, [turn, "EX", remembered]);
  for (const key of hashes) {
    const [seconds, count] = rest.splice(0, 2).map(Number) as [number, number];
    const hash = find(entries, key)?.hash ?? new Map<string, number>();
    const fields = rest.splice(0, 2 * count);
    for (let index = 0; index < fields.length; index += 2) {
      const field = fields[index] ?? "";
      hash.set(field, (hash.get(field) ?? 0) + Number(fields[index + 1]));
    }
    const expiresAt = performance.now() + seconds * 1000;
    entries.set(key, { value: Buffer.alloc(0), hash, expiresAt });
  }
  return 1;
}

function find(entries: Map<string, Entry>, key: string): Entry | undefined {
  const found = entries.get(key);
  if (found && found.expiresAt > performance.now()) return found;
  entries.delete(key);
  return undefined;
}

function set(entries: Map<string, Entry>, key: string, [value = "", ...options]: string[]): Reply {
  const names = options.map((option) => option.toUpperCase());
  if (names.includes("NX") && find(entries, key)) return null;
  const end = names.findIndex((name) => name === "PX" || name === "EX");
  const unit = names[end] === "EX" ? 1000 : 1;
  const expiresAt =
    end === -1 ? Infinity : performance.now() + Number(options[end + 1] ?? 0) * unit;
  entries.set(key, { value: Buffer.from(value, "latin1"), expiresAt });
  return "OK";
}

function add(entries: Map<string, Entry>, key: string, by: number): Reply {
  const found = find(entries, key);
  const text = found?.value.toString("latin1") ?? "0";
  if (!/^-?\d+$/.test(text)) return new Error("ERR value is not an integer or out of range");
  const sum = Number(text) + by;
  entries.set(key, { value: Buffer.from(String(sum)), expiresAt: found?.expiresAt ?? Infinity });
  return sum;
}

/** Reads one command, an array of bulk strings. They are latin1, which keeps all bytes. Undefined when cut off. */
function readCommand(bytes: Buffer): { words: string[]; end: number } | undefined {
  let offset = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf("\r\n", offset);
    if (end === -1) return undefined;
    const text = bytes.toString("latin1", offset, end);
    offset = end + 2;
    return text;
  };
  const count = line();
  if (count === undefined) return undefined;
  const words: string[] = [];
  for (let index = 0; index < Number(count.slice(1)); index++) {
    const length = line();
    if (length === undefined) return undefined;
    const end = offset + Number(length.slice(1));
    if (bytes.length < end + 2) return undefined;
    words.push(bytes.toString("latin1", offset, end));
    offset = end + 2;
  }
  return { words, end: offset };
}

function encode(reply: Reply): Buffer {
  if (reply === null) return Buffer.from("$-1\r\n");
  if (typeof reply === "string") return Buffer.from(`+${reply}\r\n`);
  if (typeof reply === "number") return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof Error) return Buffer.from(`-${reply.message}\r\n`);
  if (Array.isArray(reply))
    return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
  return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from("\r\n")]);
}
