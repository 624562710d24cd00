import { expect } from "vitest";
import type { Notes } from "../../functions/observe/feedback/notes.ts";

const KEPT = 60;
const freshKey = () => crypto.randomUUID().replaceAll("-", "");

/** What every place for notes does. `open` gives an instance that shares its place with the others. */
export const NOTES_CASES: Record<string, (open: () => Notes) => Promise<void>> = {
  async "keeps a text for all instances, and the last one"(open) {
    const [one, other, key] = [open(), open(), freshKey()];
    expect(await other.get(key)).toBeUndefined();
    await one.put(key, "first é", KEPT);
    expect(await other.get(key)).toBe("first é");
    await other.put(key, "second", KEPT);
    expect(await one.get(key)).toBe("second");
  },

  async "replaces a text that is still there, and of many at once only one does"(open) {
    const key = freshKey();
    expect(await open().replace(key, "before", "after", KEPT)).toBe(false);
    await open().put(key, "before", KEPT);
    const tries = Array.from({ length: 10 }, (_, at) =>
      open().replace(key, "before", `after ${at}`, KEPT),
    );
    const done = (await Promise.all(tries)).map((isDone, at) => ({ isDone, at }));
    const winners = done.filter(({ isDone }) => isDone);
    expect(winners.length).toBe(1);
    expect(await open().get(key)).toBe(`after ${winners[0]?.at}`);
  },

  async "forgets a text when its time is over"(open) {
    const [one, key] = [open(), freshKey()];
    await one.put(key, "short", 1);
    await expect.poll(() => one.get(key), { timeout: 10_000 }).toBeUndefined();
    expect(await one.replace(key, "short", "again", KEPT)).toBe(false);
  },

  async "removes a text for all instances, and says whether there was one"(open) {
    const key = freshKey();
    expect(await open().delete(key)).toBe(false);
    await open().put(key, "kept", KEPT);
    expect(await open().delete(key)).toBe(true);
    expect(await open().get(key)).toBeUndefined();
    expect(await open().replace(key, "kept", "again", KEPT)).toBe(false);
  },
};
