import { AGAIN, HOLD, MOVE_DUE } from "../../functions/platform/queue/redis-stream.ts";

export type Reply = string | number | Buffer | null | Error | Reply[];

interface Pending {
  at: number;
  count: number;
}

interface Stream {
  entries: Map<string, string[]>;
  last: number;
  /** Those of the one group that there can be: the place behind the last one that was read, and what was not settled. */
  group?: { read: number; pending: Map<string, Pending> };
}

type Command = (words: string[]) => Reply;

/** The commands of streams and sorted sets that the queue uses. Undefined for another command. */
export function createStreams(): (words: string[]) => Reply | undefined {
  const streams = new Map<string, Stream>();
  const sets = new Map<string, Map<string, number>>();

  function streamOf(key = ""): Stream {
    const found = streams.get(key) ?? { entries: new Map(), last: 0 };
    streams.set(key, found);
    return found;
  }

  function setOf(key = ""): Map<string, number> {
    const found = sets.get(key) ?? new Map<string, number>();
    sets.set(key, found);
    return found;
  }

  function hand(stream: Stream, id: string, count: number): Reply {
    stream.group?.pending.set(id, { at: performance.now(), count });
    return [Buffer.from(id), (stream.entries.get(id) ?? []).map((word) => Buffer.from(word))];
  }

  function add(key: string | undefined, fields: string[]): string {
    const stream = streamOf(key);
    const id = `${++stream.last}-0`;
    stream.entries.set(id, fields);
    return id;
  }

  /** `ZADD key LT score member`. */
  function lower(key: string | undefined, score: number, member: string): void {
    const set = setOf(key);
    set.set(member, Math.min(score, set.get(member) ?? Infinity));
  }

  const settle = (key: string | undefined, id = "") =>
    streams.get(key ?? "")?.group?.pending.delete(id) ? 1 : 0;

  const scripts: Record<string, (keys: string[], words: string[]) => Reply> = {
    [HOLD]([stream, later], [key = "", ms, most]) {
      if (streamOf(stream).entries.size >= Number(most)) return 0;
      lower(later, performance.now() + Number(ms), key);
      return 1;
    },
    [AGAIN]([stream, later], [, id = "", key = "", ms]) {
      if (settle(stream, id) === 0) return 0;
      streamOf(stream).entries.delete(id);
      lower(later, performance.now() + Number(ms), key);
      return 1;
    },
    [MOVE_DUE]([stream, later], [count]) {
      const due = [...setOf(later)].filter(([, score]) => score <= performance.now());
      const moved = due.toSorted(([, one], [, other]) => one - other).slice(0, Number(count));
      for (const [key] of moved) {
        setOf(later).delete(key);
        add(stream, ["key", key]);
      }
      return moved.length;
    },
  };

  const commands: Record<string, Command> = {
    EVAL([script = "", count, ...rest]) {
      const keys = rest.splice(0, Number(count));
      return scripts[script]?.(keys, rest) ?? new Error("ERR this script is not known");
    },
    XADD: ([key, , ...fields]) => Buffer.from(add(key, fields)),
    XDEL: ([key, id = ""]) => (streamOf(key).entries.delete(id) ? 1 : 0),
    XLEN: ([key]) => streamOf(key).entries.size,
    XACK: ([key, , id]) => settle(key, id),
    ZREM: ([key, member = ""]) => (setOf(key).delete(member) ? 1 : 0),
    XGROUP([, key]) {
      const stream = streamOf(key);
      if (stream.group) return new Error("BUSYGROUP Consumer Group name already exists");
      stream.group = { read: 0, pending: new Map() };
      return "OK";
    },
    XREADGROUP(words) {
      const option = (name: string) => words[words.indexOf(name) + 1] ?? "";
      const key = option("STREAMS");
      const stream = streamOf(key);
      const { group } = stream;
      if (!group) return noGroup(key);
      const fresh = [...stream.entries.keys()].filter((id) => parseInt(id) > group.read);
      const read = fresh.slice(0, Number(option("COUNT")));
      group.read = Math.max(group.read, ...read.map((id) => parseInt(id)));
      if (read.length === 0) return null;
      return [[Buffer.from(key), read.map((id) => hand(stream, id, 1))]];
    },
    XAUTOCLAIM([key = "", , , idle, , , count]) {
      const stream = streamOf(key);
      if (!stream.group) return noGroup(key);
      const old = [...stream.group.pending]
        .filter(([, { at }]) => performance.now() - at >= Number(idle))
        .slice(0, Number(count));
      const claimed = old.map(([id, pending]) => hand(stream, id, pending.count + 1));
      return [Buffer.from("0-0"), claimed, []];
    },
    XPENDING([key, , id = ""]) {
      const found = streamOf(key).group?.pending.get(id);
      if (!found) return [];
      const idle = Math.round(performance.now() - found.at);
      return [[Buffer.from(id), Buffer.from("nearcast"), idle, found.count]];
    },
    XCLAIM([key, , , , id = ""]) {
      const found = streamOf(key).group?.pending.get(id);
      if (!found) return [];
      found.at = performance.now();
      return [Buffer.from(id)];
    },
  };

  return ([name = "", ...words]) => {
    const known = commands[name.toUpperCase()];
    // Scripts of others are elsewhere.
    if (name.toUpperCase() === "EVAL" && !(words[0] !== undefined && words[0] in scripts))
      return undefined;
    return known?.(words);
  };
}

function noGroup(key: string): Error {
  return new Error(`NOGROUP No such key '${key}' or consumer group`);
}
