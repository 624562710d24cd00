import { expect, test, vi } from "vitest";

const native = await import("../functions/half-floats.ts");
vi.stubGlobal("Float16Array", undefined);
vi.resetModules();
const own = await import("../functions/half-floats.ts");
vi.unstubAllGlobals();

test("FP16 is read without a Float16Array as with one, every value of it", () => {
  const bits = Uint16Array.from({ length: 0x10000 }, (_, index) => index);
  expect(own.fromHalfFloats(bits)).not.toBeInstanceOf(Float16Array);
  const numbers = native.fromHalfFloats(bits);
  expect(own.fromHalfFloats(bits).findIndex((one, at) => !Object.is(one, numbers[at]))).toBe(-1);
});

test("numbers are rounded to FP16 without a Float16Array as with one", () => {
  const bits = Uint16Array.from({ length: 0x7c00 }, (_, index) => index);
  const halves = [...native.fromHalfFloats(bits)];
  // Each half, what lies in the middle of two, and what is a little less or more than that.
  const positive = halves.flatMap((half, index) => {
    const middle = (half + (halves[index + 1] ?? 65_536)) / 2;
    return [half, middle, middle * (1 - 2 ** -52), middle * (1 + 2 ** -52), middle * 1.01];
  });
  const special = [Infinity, 1e39, 5e-324, 1e-10, 65_519.999, 65_520, 0];
  const numbers = [...positive, ...special].flatMap((number) => [number, -number]);
  const rounded = native.toHalfFloats([...numbers, NaN]);
  expect(own.toHalfFloats([...numbers, NaN]).findIndex((one, at) => one !== rounded[at])).toBe(-1);
});
