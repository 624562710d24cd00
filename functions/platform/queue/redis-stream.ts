import type { Redis } from "../redis.ts";

/** All consumers have one name: what a dead one held is known by its age, and no names of dead ones remain. */
const [GROUP, CONSUMER] = ["nearcast", "nearcast"];
/** How many messages whose time has come are moved in one go. */
const MOST_MOVED = 100;

/** Redis's own clock, in milliseconds: the instances' clocks do not matter. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** `KEYS`: the stream, the sorted set. `ARGV`: the job's key, milliseconds, and how many messages there may be. */
export const HOLD = `if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
${NOW}redis.call('ZADD', KEYS[2], 'LT', now + ARGV[2], ARGV[1])
return 1`;

/** `KEYS`: the stream, the sorted set. `ARGV`: the group, the message's id, the job's key, milliseconds. */
export const AGAIN = `if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
${NOW}redis.call('ZADD', KEYS[2], 'LT', now + ARGV[4], ARGV[3])
return 1`;

/** `KEYS`: the stream, the sorted set. `ARGV`: how many at the most. */
export const MOVE_DUE = `${NOW}local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, key in ipairs(due) do
  redis.call('ZREM', KEYS[2], key)
  redis.call('XADD', KEYS[1], '*', 'key', key)
end
return #due`;

interface StreamMessage {
  id: string;
  key: string;
  /** How often it was handed out, this time included. */
  tries: number;
}

/**
 * Messages in a Redis (6.2 or later): those to be handled in a stream, with a group that knows who has which, and those
 * whose time comes later in a sorted set. All methods reject when Redis does not answer.
 */
export function redisStream(redis: Redis, name: string) {
  const [stream, later] = [`nearcast:jobs:${name}`, `nearcast:jobs:${name}:later`];
  const keys = [stream, later];
  return {
    /** Has the key come after this time, or before. False when so many messages wait already. */
    hold: (key: string, ms: number, most: number) =>
      redis(async (client) => {
        const options = { keys, arguments: [key, `${ms}`, `${most}`] };
        return (await client.eval(HOLD, options)) === 1;
      }),
    /** Has the key come now. */
    add: (key: string) =>
      redis((client) => client.multi().zRem(later, key).xAdd(stream, "*", { key }).exec()),
    withdraw: (key: string) => redis((client) => client.zRem(later, key)),
    /** Before the first message can be taken. */
    prepare: () =>
      redis(async (client) => {
        await client.xGroupCreate(stream, GROUP, "0", { MKSTREAM: true }).catch((error: Error) => {
          if (!error.message.startsWith("BUSYGROUP")) throw error;
        });
      }),
    moveDue: () => redis((client) => client.eval(MOVE_DUE, { keys, arguments: [`${MOST_MOVED}`] })),
    /** New messages. */
    take: (count: number) =>
      redis(async (client): Promise<StreamMessage[]> => {
        const from = { key: stream, id: ">" };
        const read = await client.xReadGroup(GROUP, CONSUMER, from, { COUNT: count });
        return messagesOf(read?.[0]?.messages).map((message) => ({ ...message, tries: 1 }));
      }),
    /** Messages that nobody has renewed for so long. */
    claim: (count: number, idleMs: number) =>
      redis(async (client): Promise<StreamMessage[]> => {
        const options = { COUNT: count };
        const found = await client.xAutoClaim(stream, GROUP, CONSUMER, idleMs, "0", options);
        const claimed = messagesOf(found.messages).map(async (message) => {
          const [known] = await client.xPendingRange(stream, GROUP, message.id, message.id, 1);
          return { ...message, tries: known?.deliveriesCounter ?? 1 };
        });
        return Promise.all(claimed);
      }),
    renew: ({ id }: StreamMessage) =>
      redis((client) => client.xClaimJustId(stream, GROUP, CONSUMER, 0, id)),
    done: ({ id }: StreamMessage) =>
      redis((client) => client.multi().xAck(stream, GROUP, id).xDel(stream, id).exec()),
    again: ({ id, key }: StreamMessage, ms: number) =>
      redis((client) => client.eval(AGAIN, { keys, arguments: [GROUP, id, key, `${ms}`] })),
  };
}

function messagesOf(all: unknown) {
  const found = (all ?? []) as ({ id: string; message: { key?: string } } | null)[];
  return found.flatMap((one) => (one?.message.key ? [{ id: one.id, key: one.message.key }] : []));
}
