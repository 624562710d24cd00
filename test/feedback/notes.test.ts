import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyText } from "../../functions/observe/capture/captured.ts";
import { createMemoryNotes } from "../../functions/observe/feedback/memory-notes.ts";
import { createSharedNotes } from "../../functions/observe/feedback/notes.ts";
import { createDynamodbNotes } from "../../functions/platform/notes/dynamodb.ts";
import { createRedisNotes } from "../../functions/platform/notes/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { useDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { hasRedis, startRealRedis, type RealRedis } from "../harness/real-redis.ts";
import { NOTES_CASES } from "./notes.ts";

describe("in memory", () => {
  const notes = createMemoryNotes({ sha256 });
  for (const [name, run] of Object.entries(NOTES_CASES)) test(name, () => run(() => notes));

  test("keeps the last fifty thousand, whenever they are looked for", async () => {
    const many = createMemoryNotes({ sha256 });
    let count = 0;
    const put = (until: number) => {
      for (; count < until; count++) void many.put(asked(count), note(count), 60);
    };
    put(20_000);
    expect(await many.get(asked(0))).toEqual(note(0));
    // The second time, all but the last ones are gone from the index too.
    for (const until of [130_000, 180_000]) {
      put(until);
      expect(await many.get(asked(until - 50_000))).toEqual(note(until - 50_000));
      expect(await many.get(asked(until - 50_001))).toBeUndefined();
      expect(await many.get(asked(until - 1))).toEqual(note(until - 1));
    }
  });

  test("ids of every length are told apart, side by side and in a place that another one had", async () => {
    const many = createMemoryNotes({ sha256 });
    const ids = [
      "",
      "é",
      "長",
      "\u0000",
      ...[1, 35, 36, 37, 255].map((length) => "x".repeat(length)),
    ];
    for (let turn = 0; turn < 2; turn++) {
      for (const [at, id] of ids.entries()) void many.put({ ...asked(0), id }, note(at), 60);
      for (const [at, id] of ids.entries())
        expect(await many.get({ ...asked(0), id })).toEqual(note(at));
      // Each of these ids has another length than the one whose place it takes.
      for (let id = 0; id < 50_000 - 1 - ids.length; id++) void many.put(asked(id), note(id), 60);
    }
    expect(await many.get(asked(12_345))).toEqual(note(12_345));
  });

  test("a later prediction in the place of a note is not taken for it", async () => {
    const many = createMemoryNotes({ sha256 });
    for (let id = 0; id < 50_000; id++) void many.put(asked(id), note(id), 60);
    const first = await many.get(asked(0));
    const forgotten = many.forget([sha256(keyText("c", "0"))]);
    // In the place that is being looked at.
    void many.put(asked(50_000), note(50_000), 60);
    expect(await forgotten).toBe(0);
    expect(await many.get(asked(50_000))).toEqual(note(50_000));
    expect(await many.replace(asked(0), first!, note(1), 60)).toBe(false);
    expect(await many.replace(asked(50_000), first!, note(1), 60)).toBe(false);
    expect(await many.get(asked(50_000))).toEqual(note(50_000));
  });
});

describe("in DynamoDB", () => {
  let table: DynamoDb;
  beforeAll(async () => {
    table = await useDynamoDb("notes");
  });
  afterAll(() => table.stop());
  for (const [name, run] of Object.entries(NOTES_CASES))
    test(name, () => run(() => createSharedNotes(createDynamodbNotes("notes"), sha256)));
});

describe.skipIf(!hasRedis)("in Redis", () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await startRealRedis();
  });
  afterAll(() => redis.stop());
  for (const [name, run] of Object.entries(NOTES_CASES))
    test(name, () => run(() => createSharedNotes(createRedisNotes(openRedis(redis.url)), sha256)));
});

const asked = (id: number) => ({ caller: "c", id: `${id}`, at: Date.now() });
const note = (id: number) => ({ model: "m", version: "1", predicted: [id] });
