import { expect, test } from "vitest";
import { watchBody, type End } from "../../functions/spillover/watched-body.ts";

/** A body to which the test adds pieces, and the ends that are told of it. */
function watched() {
  let source: ReadableStreamDefaultController | undefined;
  const told: End[] = [];
  const body = new ReadableStream({ start: (controller) => void (source = controller) });
  const reader = watchBody(body, (end) => void told.push(end)).getReader();
  return { told, reader, source: source as unknown as ReadableStreamDefaultController };
}

test("a reader that leaves while it waits for a piece is told once, as one that left", async () => {
  const { told, reader } = watched();
  const waiting = reader.read();
  await new Promise((resolve) => setTimeout(resolve));
  await reader.cancel();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await new Promise((resolve) => setTimeout(resolve));
  expect(told).toEqual(["left"]);
});

test("a body is whole at its end, and cut where it breaks off", async () => {
  const whole = watched();
  whole.source.enqueue(Uint8Array.of(1));
  whole.source.close();
  expect((await whole.reader.read()).value).toEqual(Uint8Array.of(1));
  expect((await whole.reader.read()).done).toBe(true);
  expect(whole.told).toEqual(["whole"]);
  const cut = watched();
  cut.source.error(new Error("reset"));
  await expect(cut.reader.read()).rejects.toThrow("reset");
  expect(cut.told).toEqual(["cut"]);
});
