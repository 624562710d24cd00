import { expect } from "vitest";
import { keyText } from "../../functions/observe/capture/captured.ts";
import type { Note, Notes } from "../../functions/observe/feedback/notes.ts";
import { sha256 } from "../../functions/platform/sha256.ts";

const KEPT = 60;
const freshRequest = () => ({ caller: "é", id: crypto.randomUUID(), at: Date.now() });
const note = (label: string): Note => ({ model: "iris", version: "1", predicted: [label, null] });

/** What every place for notes does. `open` gives an instance that shares its place with the others. */
export const NOTES_CASES: Record<string, (open: () => Notes) => Promise<void>> = {
  async "keeps a note for all instances, and the last one"(open) {
    const [one, other, asked] = [open(), open(), freshRequest()];
    expect(await other.get(asked)).toBeUndefined();
    await one.put(asked, note("first é"), KEPT);
    expect(await other.get(asked)).toEqual(note("first é"));
    await other.put(asked, note("second"), KEPT);
    expect(await one.get(asked)).toEqual(note("second"));
    expect(await one.get({ ...asked, caller: "another" })).toBeUndefined();
  },

  async "replaces a note that is still there, and of many at once only one does"(open) {
    const asked = freshRequest();
    expect(await open().replace(asked, note("before"), note("after"), KEPT)).toBe(false);
    await open().put(asked, note("before"), KEPT);
    const tries = Array.from({ length: 10 }, async (_, at) => {
      const before = (await open().get(asked)) as Note;
      return open().replace(asked, before, { ...before, actual: [`after ${at}`] }, KEPT);
    });
    const done = (await Promise.all(tries)).map((isDone, at) => ({ isDone, at }));
    const winners = done.filter(({ isDone }) => isDone);
    expect(winners.length).toBe(1);
    const after = { ...note("before"), actual: [`after ${winners[0]?.at}`] };
    expect(await open().get(asked)).toEqual(after);
  },

  async "forgets a note when its time is over"(open) {
    const [one, asked] = [open(), freshRequest()];
    await one.put(asked, note("short"), 1);
    const kept = (await one.get(asked)) as Note;
    await expect.poll(() => one.get(asked), { timeout: 10_000 }).toBeUndefined();
    expect(await one.replace(asked, kept, note("again"), KEPT)).toBe(false);
  },

  async "removes notes for all instances by digests, and says how many there were"(open) {
    const [asked, other] = [freshRequest(), freshRequest()];
    const keys = [asked, other].map(({ caller, id }) => sha256(keyText(caller, id)));
    expect(await open().forget(keys)).toBe(0);
    await open().put(asked, note("earlier"), KEPT);
    await open().put(asked, note("kept"), KEPT);
    const kept = (await open().get(asked)) as Note;
    expect(await open().forget(keys)).toBe(1);
    expect(await open().get(asked)).toBeUndefined();
    expect(await open().replace(asked, kept, note("again"), KEPT)).toBe(false);
  },
};
