import type { Redis } from "../redis.ts";
import type { Place } from "./gathered.ts";

/** How long Redis knows the last batch of an instance. */
const REMEMBERED_SECONDS = 3600;

/**
 * Adds a batch once, whatever becomes of connections. `KEYS`: what remembers the instance's last batch, then the hash of
 * each group. `ARGV`: the batch's number, how long it is remembered, and for each group: its seconds, how many fields,
 * and the fields with their values.
 */
export const ADD_BATCH = `if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local at = 3
for key = 2, #KEYS do
  local count = tonumber(ARGV[at + 1])
  for field = 1, count do
    redis.call('HINCRBYFLOAT', KEYS[key], ARGV[at + 2 * field], ARGV[at + 2 * field + 1])
  end
  redis.call('EXPIRE', KEYS[key], ARGV[at])
  at = at + 2 + 2 * count
end
return 1`;

/** The sums of all instances that share the Redis: a hash for each group, which expires. */
export function createRedisCounters(redis: Redis): Place {
  return {
    add: ({ instance, turn, model, groups }) =>
      redis(async (client) => {
        const keys = groups.map(({ name }) => keyOf(model, name));
        const numbers = groups.flatMap(({ keptSeconds, fields }) => [
          String(Math.ceil(keptSeconds)),
          String(fields.size),
          ...[...fields].flatMap(([field, value]) => [field, String(value)]),
        ]);
        await client.eval(ADD_BATCH, {
          keys: [`nearcast:counted:${instance}:${model}`, ...keys],
          arguments: [String(turn), String(REMEMBERED_SECONDS), ...numbers],
        });
      }),
    read: ({ model, name }) =>
      redis(async (client) => {
        const found = await client.hGetAll(keyOf(model, name));
        return new Map(Object.entries(found).map(([field, value]) => [field, Number(value)]));
      }),
  };
}

function keyOf(model: string, name: string): string {
  return `nearcast:counters:${model}:${name}`;
}
