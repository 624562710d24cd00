import type { NotePlace } from "../../observe/feedback/notes.ts";
import type { Redis } from "../redis.ts";

const REPLACE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1`;

/** Keeps notes in Redis. */
export function createRedisNotes(redis: Redis): NotePlace {
  return {
    put: (key, text, keptSeconds) =>
      redis(async (client) => {
        await client.set(nameOf(key), text, { expiration: { type: "EX", value: keptSeconds } });
      }),
    get: (key) => redis(async (client) => (await client.get(nameOf(key))) ?? undefined),
    replace: (key, text, next, keptSeconds) =>
      redis(async (client) => {
        const keys = [nameOf(key)];
        return (
          (await client.eval(REPLACE, { keys, arguments: [text, next, `${keptSeconds}`] })) === 1
        );
      }),
    delete: (key) => redis(async (client) => (await client.del(nameOf(key))) === 1),
  };
}

function nameOf(key: string): string {
  return `nearcast:note:${key}`;
}
