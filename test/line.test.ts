import { expect, test } from "vitest";
import { Line } from "../functions/line.ts";

function lineOf<T>(...values: T[]) {
  const line = new Line<T>();
  return { line, places: values.map((value) => line.enter(value)) };
}

const valuesOf = <T>(line: Line<T>) => Array.from(line, ({ value }) => value);

test.each([
  [0, ["b", "c"]],
  [1, ["a", "c"]],
  [2, ["a", "b"]],
])("place %d leaves, and the others keep their order", (left, expected) => {
  const { line, places } = lineOf("a", "b", "c");
  expect(line.leave(places[left]!)).toBe(true);
  expect(valuesOf(line)).toEqual(expected);
  expect(line.first?.value).toBe(expected[0]);
  expect(line.size).toBe(2);
  line.enter("d");
  expect(valuesOf(line)).toEqual([...expected, "d"]);
});

test("a place leaves once", () => {
  const { line, places } = lineOf("a");
  expect(line.leave(places[0]!)).toBe(true);
  expect(line.leave(places[0]!)).toBe(false);
  expect([line.size, line.first]).toEqual([0, undefined]);
});

test("places leave while they are visited", () => {
  const { line } = lineOf("a", "b", "c");
  const visited = [];
  for (const place of line) {
    visited.push(place.value);
    line.leave(place);
  }
  expect(visited).toEqual(["a", "b", "c"]);
  expect(line.size).toBe(0);
});

test("a place that left keeps no other", () => {
  const { line, places } = lineOf("a", "b", "c");
  line.leave(places[1]!);
  expect(places[1]).toEqual({ value: "b", before: undefined, after: undefined });
});
