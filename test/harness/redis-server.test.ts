import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, RESP_TYPES } from "@redis/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRedis, type RedisServer } from "./redis-server.ts";

let standIn: RedisServer;
beforeAll(async () => {
  standIn = await startRedis();
});
afterAll(() => standIn.stop());

const key = (): string => `nearcast-test:${randomUUID()}`;

// TEST_REDIS_URL=redis://127.0.0.1:6379 holds the stand-in against a real server.
const real = process.env["TEST_REDIS_URL"];
const servers: [name: string, url: () => string][] = [["the stand-in", () => standIn.url]];
if (real) servers.push(["a real Redis", () => real]);

describe.each(servers)("%s", (_name, url) => {
  type Client = ReturnType<typeof connect>;
  const connect = () => createClient({ url: url(), RESP: 2, disableClientInfo: true });
  let client: Client;
  beforeAll(async () => {
    client = connect();
    await client.connect();
  });
  afterAll(() => client.destroy());

  test("SET NX begins a window once, and INCRBY keeps its end", async () => {
    const name = key();
    const window = { condition: "NX", expiration: { type: "PX", value: 2000 } } as const;
    const take = () => client.multi().set(name, 0, window).incrBy(name, 2).pTTL(name).execTyped();
    const [first, used, left] = await take();
    expect([first, used]).toEqual(["OK", 2]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2000);
    expect((await take()).slice(0, 2)).toEqual([null, 4]);
    expect(await client.decrBy(name, 3)).toBe(1);
    await sleep(left + 50);
    expect(await client.get(name)).toBeNull();
    expect((await take()).slice(0, 2)).toEqual(["OK", 2]);
  });

  test("what has no end says so, and what is not there too", async () => {
    const name = key();
    expect(await client.pTTL(name)).toBe(-2);
    expect(await client.incrBy(name, 1)).toBe(1);
    expect(await client.pTTL(name)).toBe(-1);
  });

  test("bytes come back as they were, for as long as they were to be kept", async () => {
    const name = key();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await binary.get(name)).toBeNull();
    await binary.set(name, bytes, { expiration: { type: "EX", value: 1 } });
    expect(await binary.get(name)).toEqual(bytes);
    await sleep(1100);
    expect(await binary.get(name)).toBeNull();
  });

  test("counting in what is no number is an error", async () => {
    const name = key();
    await client.set(name, "x");
    await expect(client.incrBy(name, 1)).rejects.toThrow(/not an integer/);
  });
});
