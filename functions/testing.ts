import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { FeatureRow, FeatureSource, StoredFeatures } from "./features/source.ts";
import type { Limiter } from "./limits/limiter.ts";
import { PART_BYTES, type Store } from "./model/store.ts";
import {
  LONGEST_FIELD,
  MOST_GROUP_FIELDS,
  type Add,
  type Counters,
  type Group,
} from "./observe/counters.ts";

/** One promise of a contract. `run` rejects with an `AssertionError` when it is broken. */
export interface ContractCase {
  name: string;
  run: () => Promise<void>;
}

/**
 * What every store must do, for any test runner. Each case writes only below keys of its own, so that all can share a
 * store, even one that is not empty. The last case writes 1,050 objects: give it time.
 *
 * @example for (const { name, run } of storeContract(() => createMyStore())) test(name, run);
 */
export function storeContract(open: () => Store | Promise<Store>): ContractCase[] {
  return casesOf(STORE_CASES, open);
}

/**
 * What every limiter that counts exactly must do, for any test runner. (Cloudflare's bindings do not count exactly.)
 * Each case takes from keys of its own. The last case waits until a window of two seconds has ended.
 *
 * @example for (const { name, run } of limiterContract(() => createMyLimiter())) test(name, run);
 */
export function limiterContract(open: () => Limiter | Promise<Limiter>): ContractCase[] {
  return casesOf(LIMITER_CASES, open);
}

/**
 * What all counters must do, for any test runner. Each `open` is another instance of those that count together: the
 * same one where only one counts. The last case waits until a group of two seconds has expired.
 *
 * @example for (const { name, run } of countersContract(() => createMyCounters())) test(name, run);
 */
export function countersContract(open: () => Counters | Promise<Counters>): ContractCase[] {
  return Object.entries(COUNTER_CASES).map(([name, check]) => ({
    name,
    run: async () => check(async () => open()),
  }));
}

/**
 * What every source of features must do, for any test runner. `hold` gives a source that has these rows, and perhaps
 * others: each case has entities of its own.
 *
 * @example
 * for (const { name, run } of featureSourceContract((rows) => createMySource(rows))) test(name, run);
 */
export function featureSourceContract(
  hold: (rows: readonly StoredFeatures[]) => FeatureSource | Promise<FeatureSource>,
): ContractCase[] {
  return Object.entries(SOURCE_CASES).map(([name, check]) => ({
    name,
    run: async () => check(async (rows) => hold(rows)),
  }));
}

/** More keys than S3 and R2 list in one page. */
const MANY_KEYS = 1050;

const STORE_CASES: Record<string, (store: Store) => Promise<void>> = {
  async "gives back what was put, byte for byte"(store) {
    const key = freshKey("bytes");
    const all = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) & 255);
    const etag = await store.put(key, all);
    const found = await store.get(key);
    if (!found || found === "not-modified") throw new Error(`get answered ${found}`);
    equal(found.etag, etag);
    deepEqual(new Uint8Array(found.bytes), all);
    deepEqual(await store.head(key), { etag, size: all.length });
  },

  async "keeps an empty object"(store) {
    const key = freshKey("empty");
    await store.put(key, new Uint8Array());
    equal((await store.head(key))?.size, 0);
    equal(await textOf(store, key), "");
  },

  async "gives parts of an object, where it gives any"(store) {
    const key = freshKey("parts");
    await store.put(
      key,
      Uint8Array.from({ length: 1000 }, (_, index) => index & 255),
    );
    if (!store.slice) return;
    const part = async (start: number, end: number) =>
      Array.from((await store.slice?.(key, start, end)) ?? []);
    deepEqual(await part(0, 3), [0, 1, 2]);
    deepEqual(await part(255, 258), [255, 0, 1]);
    deepEqual(await part(998, 1000), [230, 231]);
    deepEqual(await part(998, 2000), [230, 231]);
    equal(await store.slice(freshKey("nothing"), 0, 3), undefined);
  },

  async "writes an object in parts, where it can, and never over another"(store) {
    const { inParts: parts } = store;
    if (!parts) return;
    const [key, other] = [freshKey("in-parts"), freshKey("dropped")];
    const whole = Uint8Array.from({ length: PART_BYTES + 1000 }, (_, index) => (index * 31) & 255);
    const [first, last] = [whole.slice(0, PART_BYTES), whole.slice(PART_BYTES)];
    const [one, two] = [await parts.begin(key), await parts.begin(key)];
    // The second of two writings of a part counts.
    await parts.put(key, one, 1, last.toReversed());
    const tags = [await parts.put(key, one, 0, first), await parts.put(key, one, 1, last)];
    equal(await store.head(key), undefined);
    equal(await parts.end(key, one, tags), true);
    equal((await store.head(key))?.size, whole.length);
    deepEqual(
      await store.slice?.(key, PART_BYTES - 2, PART_BYTES + 5),
      whole.slice(PART_BYTES - 2, PART_BYTES + 5),
    );
    equal(await parts.end(key, two, [await parts.put(key, two, 0, bytes("other"))]), false);
    equal((await store.head(key))?.size, whole.length);
    const writing = await parts.begin(other);
    await parts.put(other, writing, 0, bytes("x"));
    await parts.drop(other, writing);
    equal(await store.head(other), undefined);
  },

  async "has nothing at an absent key, at a folder, or below a file"(store) {
    const folder = freshKey("folder");
    await store.put(`${folder}/file`, bytes("x"));
    for (const key of [freshKey("nothing"), folder, `${folder}/nothing`, `${folder}/file/below`]) {
      equal(await store.get(key), undefined);
      equal(await store.head(key), undefined);
    }
  },

  async "answers not-modified to the current ETag only"(store) {
    const key = freshKey("etag");
    const etag = await store.put(key, bytes("one"));
    equal(await store.get(key, { ifNoneMatch: etag }), "not-modified");
    await store.put(key, bytes("two"));
    notEqual(await store.get(key, { ifNoneMatch: etag }), "not-modified");
    equal(await textOf(store, key), "two");
  },

  async "creates once with if-none-match, and never overwrites"(store) {
    const key = freshKey("once");
    equal(typeof (await store.put(key, bytes("first"), { ifNoneMatch: "*" })), "string");
    equal(await store.put(key, bytes("second"), { ifNoneMatch: "*" }), undefined);
    equal(await textOf(store, key), "first");
  },

  async "changes only the object that if-match names"(store) {
    const [key, absent] = [freshKey("match"), freshKey("absent")];
    const ifMatch = (await store.put(key, bytes("one"))) ?? "";
    equal(typeof (await store.put(key, bytes("two"), { ifMatch })), "string");
    equal(await store.put(key, bytes("three"), { ifMatch }), undefined);
    equal(await store.put(absent, bytes("x"), { ifMatch }), undefined);
    deepEqual([await textOf(store, key), await textOf(store, absent)], ["two", undefined]);
  },

  async "lets one of many conditional writes win"(store) {
    const [key, born] = [freshKey("race"), freshKey("birth")];
    const ifMatch = (await store.put(key, bytes("start"))) ?? "";
    const won = await winners((value) => store.put(key, value, { ifMatch }));
    equal(won.length, 1);
    equal(await textOf(store, key), won[0]);
    equal((await winners((value) => store.put(born, value, { ifNoneMatch: "*" }))).length, 1);
  },

  async "lists every key below the prefix, and no other"(store) {
    const folder = freshKey("list");
    const keys = ["a/1/model.json", "a/release.json", "b/é ?&+.json"].map(
      (name) => `${folder}/${name}`,
    );
    for (const key of [...keys, `${folder}ing`]) await store.put(key, bytes("x"));
    deepEqual((await store.list(`${folder}/`)).toSorted(), keys);
    equal((await store.list(`${folder}/a/`)).length, 2);
    deepEqual(await store.list(`${freshKey("nothing")}/`), []);
    const all = new Set(await store.list(""));
    for (const key of [...keys, `${folder}ing`]) equal(all.has(key), true, `no ${key}`);
  },

  async "leaves what is below a dot out of lists of what is above it"(store) {
    const folder = freshKey("hidden");
    const [shown, hidden] = [`${folder}/model.json`, `${folder}/.captured/2026-01-01/a.jsonl`];
    const root = `.${folder}/b`;
    for (const key of [shown, hidden, root]) await store.put(key, bytes("x"));
    deepEqual(await store.list(`${folder}/`), [shown]);
    deepEqual(await store.list(`${folder}/.captured/`), [hidden]);
    deepEqual(await store.list(`.${folder}/`), [root]);
    const all = new Set(await store.list(""));
    deepEqual([all.has(shown), all.has(root)], [true, false]);
  },

  async "removes an object, and no other"(store) {
    const folder = freshKey("delete");
    const [gone, kept] = [`${folder}/gone`, `${folder}/kept`];
    const etag = await store.put(gone, bytes("x"));
    await store.put(kept, bytes("x"));
    await store.delete(gone);
    await store.delete(gone);
    deepEqual([await textOf(store, gone), await textOf(store, kept)], [undefined, "x"]);
    deepEqual(await store.list(`${folder}/`), [kept]);
    equal(await store.put(gone, bytes("y"), { ifMatch: etag ?? "" }), undefined);
  },

  async "does not bring back what is removed while it is changed"(store) {
    for (let round = 0; round < 8; round++) {
      const key = freshKey("removed");
      let etag = await store.put(key, bytes("x"));
      async function change(): Promise<void> {
        for (let write = 0; write < 50 && etag !== undefined; write++)
          etag = await store.put(key, bytes(`${write}`), { ifMatch: etag });
      }
      const changing = change();
      await new Promise((resolve) => setTimeout(resolve, round));
      await store.delete(key);
      await changing;
      equal(await textOf(store, key), undefined);
    }
  },

  async "lists more keys than one page has"(store) {
    const folder = freshKey("pages");
    const keys = Array.from({ length: MANY_KEYS }, (_, index) => `${folder}/${index}`);
    for (let start = 0; start < keys.length; start += 50)
      await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, bytes("x"))));
    deepEqual((await store.list(`${folder}/`)).toSorted(), keys.toSorted());
  },
};

/** Lets ten writers write at once. Gives what the writers wrote whose writes were not refused. */
async function winners(
  write: (value: Uint8Array) => Promise<string | undefined>,
): Promise<string[]> {
  const texts = Array.from({ length: 10 }, (_, index) => `writer ${index}`);
  const etags = await Promise.all(texts.map((text) => write(bytes(text))));
  return texts.filter((_, index) => etags[index] !== undefined);
}

async function textOf(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && found !== "not-modified" ? new TextDecoder().decode(found.bytes) : found;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Windows of a day: where the clock fixes windows, a test hardly ever meets the end of one. */
const RATE = { limit: 10, windowSeconds: 86_400 };

const LIMITER_CASES: Record<string, (limiter: Limiter) => Promise<void>> = {
  async "allows as many units as the rate has, and then no more"(limiter) {
    const key = freshKey("units");
    for (let unit = 0; unit < RATE.limit; unit++)
      equal((await limiter.take(key, 1, RATE)).allowed, true, `unit ${unit + 1}`);
    equal((await limiter.take(key, 1, RATE)).allowed, false);
  },

  async "takes nothing for a cost that is refused"(limiter) {
    const key = freshKey("batch");
    equal((await limiter.take(key, 6, RATE)).allowed, true);
    equal((await limiter.take(key, 5, RATE)).allowed, false);
    equal((await limiter.take(key, 4, RATE)).allowed, true);
  },

  async "counts each key for itself"(limiter) {
    const [one, other] = [freshKey("one"), freshKey("other")];
    equal((await limiter.take(one, RATE.limit, RATE)).allowed, true);
    equal((await limiter.take(one, 1, RATE)).allowed, false);
    equal((await limiter.take(other, 1, RATE)).allowed, true);
  },

  async "says what is left, where it knows, and when the window ends"(limiter) {
    const key = freshKey("left");
    for (const [cost, left] of [
      [3, 7],
      [7, 0],
      [1, 0],
    ] as const) {
      const { remaining, resetSeconds } = await limiter.take(key, cost, RATE);
      ok(remaining === undefined || remaining === left, `${remaining} left, and not ${left}`);
      ok(resetSeconds > 0 && resetSeconds <= RATE.windowSeconds, `ends in ${resetSeconds} s`);
    }
  },

  async "allows no more when all are taken at once"(limiter) {
    const key = freshKey("burst");
    const burst = Array.from({ length: 50 }, async () => limiter.take(key, 1, RATE));
    const allowed = (await Promise.all(burst)).filter((taken) => taken.allowed);
    equal(allowed.length, RATE.limit);
  },

  async "begins anew when the window has ended"(limiter) {
    const key = freshKey("window");
    const rate = { limit: 1, windowSeconds: 2 };
    // One window may end between two takes. With quick takes, the next one cannot.
    const isUsedUp = async () => !(await limiter.take(key, 1, rate)).allowed;
    ok(await becomes(isUsedUp, 0), "nothing was refused");
    ok(await becomes(async () => !(await isUsedUp()), 200), "the window does not end");
  },
};

const COUNTER_CASES: Record<string, (open: () => Promise<Counters>) => Promise<void>> = {
  async "has what this instance added, at once"(open) {
    const [counters, group] = [await open(), freshGroup("own")];
    deepEqual(await counters.read(group), new Map());
    counters.add(group, new Map([["requests", 1]]));
    counters.add(group, new Map([["requests", 2], ["µs é ~", 0.5]])); // oxfmt-ignore
    deepEqual(sorted(await counters.read(group)), [["requests", 3], ["µs é ~", 0.5]]); // oxfmt-ignore
  },

  async "asks for what is to be added soon, once, when sums are read or sent"(open) {
    const [one, other, group] = [await open(), await open(), freshGroup("soon")];
    let [count, asked] = [0, 0];
    const source = (add: Add) => {
      asked += 1;
      add(group, new Map([["requests", count]]));
      count = 0;
    };
    for (let time = 0; time < 3; time++) {
      count += 1;
      one.addSoon(source);
    }
    equal(asked, 0);
    equal((await one.read(group)).get("requests"), 3);
    equal(asked, 1);
    await one.flush();
    equal(asked, 1);
    count += 1;
    one.addSoon(source);
    await one.flush();
    equal((await one.read(group)).get("requests"), 4);
    equal((await other.read(group)).get("requests"), 4);
  },

  async "adds exactly what all instances add at once"(open) {
    const group = freshGroup("together");
    const instances = [await open(), await open(), await open()] as const;
    for (let round = 0; round < 5; round++) {
      for (const [index, counters] of instances.entries())
        counters.add(group, new Map([["all", 1], [`instance ${index}`, 2 ** 40 + round]])); // oxfmt-ignore
      await Promise.all(instances.map((counters) => counters.flush()));
    }
    for (const counters of instances)
      equal((await counters.read(group)).get("all"), 5 * instances.length);
    const sum = 5 * 2 ** 40 + 10;
    const [one] = instances;
    equal((await one.read(group)).get("instance 2"), sum);
  },

  async "keeps the groups of a model apart, and the models"(open) {
    const [counters, group] = [await open(), freshGroup("apart")];
    const others = [
      { ...group, name: `${group.name}/other` },
      { ...group, model: `${group.model}-other` },
    ];
    counters.add(group, new Map([["field", 1]]));
    for (const other of others) deepEqual(await counters.read(other), new Map());
    await counters.flush();
    for (const other of others) deepEqual(await counters.read(other), new Map());
  },

  async "adds many fields in one go"(open) {
    const [one, other, group] = [await open(), await open(), freshGroup("many")];
    const fields = Array.from({ length: 1000 }, (_, index) => [`field ${index}`, index] as const);
    one.add(group, new Map(fields));
    await one.flush();
    deepEqual(sorted(await other.read(group)), sorted(new Map(fields)));
  },

  async "takes what cannot be counted without an error"(open) {
    const [counters, group] = [await open(), freshGroup("wrong")];
    counters.add(group, new Map([["good", 1], ["bad", NaN], ["x".repeat(LONGEST_FIELD + 1), 1]])); // oxfmt-ignore
    deepEqual([...(await counters.read(group))], [["good", 1]]);
    const many = Array.from({ length: MOST_GROUP_FIELDS }, (_, index) => [`${index}`, 1] as const);
    counters.add(group, new Map(many));
    ok((await counters.read(group)).size >= MOST_GROUP_FIELDS, "fields were lost");
  },

  async "keeps a group for its time after the last addition"(open) {
    const [one, other] = [await open(), await open()];
    const group = { ...freshGroup("expiry"), keptSeconds: 2 };
    one.add(group, new Map([["field", 1]]));
    await one.flush();
    const isEmpty = async () => (await other.read(group)).size === 0;
    ok(!(await isEmpty()), "it is gone at once");
    ok(await becomes(isEmpty, 200), "it does not expire");
    one.add(group, new Map([["field", 5]]));
    await one.flush();
    deepEqual([...(await other.read(group))], [["field", 5]]);
  },
};

function freshGroup(name: string): Group {
  return { model: freshKey(name), name: "contract/1", keptSeconds: 3600 };
}

function sorted(fields: ReadonlyMap<string, number>): [string, number][] {
  return [...fields].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

const PATIENCE_MS = 30_000;

async function becomes(holds: () => Promise<boolean>, everyMs: number): Promise<boolean> {
  const start = Date.now();
  while (!(await holds())) {
    if (Date.now() - start > PATIENCE_MS) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return true;
}

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

type Hold = (rows: readonly StoredFeatures[]) => Promise<FeatureSource>;

const SOURCE_CASES: Record<string, (hold: Hold) => Promise<void>> = {
  async "gives each entity its values, in the order of the entities and of the names"(hold) {
    const [one, other, unknown] = [freshKey("one"), freshKey("other"), freshKey("unknown")];
    const source = await hold([
      { keys: { customer: one }, values: { spend: 12.5, tier: "gold", visits: 3 }, at: AT },
      { keys: { customer: other }, values: { spend: -0.25, tier: "né", visits: 0 }, at: AT + 1000 },
    ]);
    const asked = [other, unknown, one].map((customer) => ({ customer }));
    const rows = await readFrom(source, asked, ["tier", "spend", "visits"]);
    deepEqual(valuesOf(rows), [["né", -0.25, 0], [undefined, undefined, undefined], ["gold", 12.5, 3]]); // oxfmt-ignore
    for (const [row, at] of [
      [rows[0], AT + 1000],
      [rows[2], AT],
    ] as const)
      // oxfmt-ignore
      for (const own of [row?.at].flat()) ok(own === undefined || own === at, `${own}`);
  },

  async "keeps the types of values"(hold) {
    const keys = { customer: freshKey("types") };
    const values = {
      number: 0.1,
      integer: 9_007_199_254_740_991,
      yes: true,
      no: false,
      text: "42",
    };
    const source = await hold([{ keys, values, at: AT }]);
    const [row] = await readFrom(source, [keys], ["number", "integer", "yes", "no", "text"]);
    deepEqual(valuesOf(row ? [row] : []), [[0.1, 9_007_199_254_740_991, true, false, "42"]]);
  },

  async "knows nothing of a name or a value that it does not have"(hold) {
    const keys = { customer: freshKey("names") };
    const source = await hold([{ keys, values: { spend: 1, tier: null }, at: AT }]);
    const [row] = await readFrom(source, [keys], ["tier", "spend"]);
    equal(row?.values[0] ?? undefined, undefined);
    equal(row?.values[1], 1);
  },

  async "takes integers as keys"(hold) {
    const id = Math.floor(Math.random() * 2 ** 40);
    const source = await hold([{ keys: { number: id }, values: { spend: 1 }, at: AT }]);
    const rows = await readFrom(source, [{ number: id }, { number: -id }], ["spend"]);
    deepEqual(valuesOf(rows), [[1], [undefined]]);
  },

  async "keeps entities apart, whatever is in their keys"(hold) {
    const fresh = freshKey("odd");
    const odd = [
      "../x", "x/y", "a:b", "a", "A", "*", "a b", "a%20b", "a=1&b=2", "'; --", '"', "Ünï", "{1}", ".", "..",
    ]; // oxfmt-ignore
    const entities = odd.map((text) => ({ customer: `${fresh}${text}` }));
    const source = await hold(entities.map((keys, place) => ({ keys, values: { place }, at: AT })));
    const rows = await readFrom(source, entities, ["place"]);
    deepEqual(
      valuesOf(rows),
      odd.map((_, place) => [place]),
    );
    const others = ["*", "a:*", "", "/"].map((text) => ({ customer: `${text}${fresh}` }));
    deepEqual(
      valuesOf(await readFrom(source, others, ["place"])),
      others.map(() => [undefined]),
    );
  },

  async "finds an entity by several keys, in any order"(hold) {
    const shop = freshKey("shop");
    const source = await hold([
      { keys: { shop, customer: "a:b" }, values: { spend: 1 }, at: AT },
      { keys: { shop: `${shop}:a`, customer: "b" }, values: { spend: 2 }, at: AT },
    ]);
    const asked = [{ customer: "b", shop: `${shop}:a` }, { customer: "a:b", shop }, { customer: "b", shop }]; // oxfmt-ignore
    deepEqual(valuesOf(await readFrom(source, asked, ["spend"])), [[2], [1], [undefined]]);
    const forged = { customer: `a:b&shop=${shop}` };
    deepEqual(valuesOf(await readFrom(source, [forged], ["spend"])), [[undefined]]);
  },

  async "reads 1,000 entities at once"(hold) {
    const fresh = freshKey("many");
    const entities = Array.from({ length: 1000 }, (_, index) => ({
      customer: `${fresh}-${index}`,
    }));
    const source = await hold(entities.map((keys, index) => ({ keys, values: { index }, at: AT })));
    const reversed = entities.toReversed();
    const rows = await readFrom(source, reversed, ["index"]);
    deepEqual(
      valuesOf(rows),
      reversed.map((_, index) => [999 - index]),
    );
  },
};

async function readFrom(
  source: FeatureSource,
  entities: Parameters<FeatureSource["read"]>[0],
  names: readonly string[],
): Promise<readonly FeatureRow[]> {
  const rows = await source.read(entities, names, { signal: new AbortController().signal });
  equal(rows.length, entities.length);
  return rows;
}

function valuesOf(rows: readonly FeatureRow[]): unknown[][] {
  return rows.map((row) => row.values.map((value) => value ?? undefined));
}

function casesOf<Tested>(
  checks: Record<string, (tested: Tested) => Promise<void>>,
  open: () => Tested | Promise<Tested>,
): ContractCase[] {
  return Object.entries(checks).map(([name, check]) => ({
    name,
    async run() {
      await check(await open());
    },
  }));
}

/** Makes a key that no earlier run has used, since a store or limiter may keep its content. */
function freshKey(name: string): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}`;
}
