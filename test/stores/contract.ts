import { afterAll, beforeAll, expect, test } from "vitest";
import type { Store, StoredObject } from "../../functions/model/store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What every store must do, however it is reached. */
export function storeContract(
  open: () => Promise<{ store: Store; close: () => Promise<void> }>,
): void {
  let store: Store;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ store, close } = await open());
  });
  afterAll(() => close());

  async function text(key: string): Promise<string | undefined> {
    const found = await store.get(key);
    return found && found !== "not-modified" ? new TextDecoder().decode(found.bytes) : found;
  }

  test("what was put is got, byte for byte", async () => {
    const all = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) & 255);
    const etag = await store.put("bytes/all", all);
    const found = (await store.get("bytes/all")) as StoredObject;
    expect(found.etag).toBe(etag);
    expect(Buffer.compare(found.bytes, all)).toBe(0);
    expect(await store.head("bytes/all")).toEqual({ etag, size: all.length });
  });

  test("an empty object is an object", async () => {
    await store.put("bytes/empty", new Uint8Array());
    expect((await store.head("bytes/empty"))?.size).toBe(0);
    expect(await text("bytes/empty")).toBe("");
  });

  test("an absent key, a folder and a key below a file are absent", async () => {
    await store.put("folder/file", bytes("x"));
    for (const key of ["nothing", "folder", "folder/nothing", "folder/file/below"]) {
      expect(await store.get(key)).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
    }
  });

  test("a get with the current ETag is not modified, with another one it is", async () => {
    const etag = await store.put("etag", bytes("one"));
    expect(await store.get("etag", { ifNoneMatch: etag })).toBe("not-modified");
    await store.put("etag", bytes("two"));
    const changed = await store.get("etag", { ifNoneMatch: etag });
    expect(changed).not.toBe("not-modified");
    expect(await text("etag")).toBe("two");
  });

  test("if-none-match creates once and never overwrites", async () => {
    expect(await store.put("once", bytes("first"), { ifNoneMatch: "*" })).toBeTypeOf("string");
    expect(await store.put("once", bytes("second"), { ifNoneMatch: "*" })).toBeUndefined();
    expect(await text("once")).toBe("first");
  });

  test("if-match changes only what it saw", async () => {
    const etag = (await store.put("match", bytes("one"))) ?? "";
    const next = await store.put("match", bytes("two"), { ifMatch: etag });
    expect(next).toBeTypeOf("string");
    expect(await store.put("match", bytes("three"), { ifMatch: etag })).toBeUndefined();
    expect(await store.put("absent", bytes("x"), { ifMatch: etag })).toBeUndefined();
    expect([await text("match"), await text("absent")]).toEqual(["two", undefined]);
  });

  test("of many conditional writes at once, one wins", async () => {
    const etag = (await store.put("race", bytes("start"))) ?? "";
    const writes = Array.from({ length: 10 }, (_, index) =>
      store.put("race", bytes(`writer ${index}`), { ifMatch: etag }),
    );
    const won = (await Promise.all(writes)).flatMap((result, index) => (result ? [index] : []));
    expect(won).toHaveLength(1);
    expect(await text("race")).toBe(`writer ${won[0]}`);
    const creates = Array.from({ length: 10 }, (_, index) =>
      store.put("birth", bytes(`writer ${index}`), { ifNoneMatch: "*" }),
    );
    expect((await Promise.all(creates)).filter(Boolean)).toHaveLength(1);
  });

  test("a listing has every key below the prefix and no other", async () => {
    const keys = ["list/a/1/model.json", "list/a/release.json", "list/b/é ?&+.json"];
    for (const key of [...keys, "listing"]) await store.put(key, bytes("x"));
    expect((await store.list("list/")).toSorted()).toEqual(keys);
    expect(await store.list("list/a/")).toHaveLength(2);
    expect(await store.list("nothing/")).toEqual([]);
    expect(await store.list("")).toEqual(expect.arrayContaining([...keys, "listing"]));
  });

  test("a listing goes on past one page", { timeout: 300_000 }, async () => {
    const keys = Array.from({ length: 1_050 }, (_, index) => `pages/${index}`);
    for (let start = 0; start < keys.length; start += 50)
      await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, bytes("x"))));
    expect(new Set(await store.list("pages/"))).toEqual(new Set(keys));
  });
}
