// Node 24, workerd and browsers have these. TypeScript's es2024 library does not yet.
interface HalfArrays {
  new (numbers: ArrayLike<number>): Float32Array<ArrayBuffer>;
  new (buffer: ArrayBufferLike, offset: number, length: number): Float32Array;
}
const { Float16Array } = globalThis as unknown as { Float16Array?: HalfArrays };

/** The numbers of FP16 bits. The result may share the bits' memory: only read it. */
export function fromHalfFloats(bits: Uint16Array): Float32Array {
  if (Float16Array) return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
  return Float32Array.from(bits, numberOf);
}

/** The FP16 bits nearest to each number. They are infinite from 65,520 on. */
export function toHalfFloats(numbers: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  if (Float16Array) return new Uint16Array(new Float16Array(numbers).buffer);
  return Uint16Array.from(numbers, bitsOf);
}

const [SIGN, INFINITE, NOT_A_NUMBER] = [0x8000, 0x7c00, 0x7e00];
const FRACTION_BITS = 10;
const LEAST_EXPONENT = -14;
/** The middle between the largest FP16 number and the power of two above it. */
const ROUNDED_TO_INFINITY = 65_520;

/** For a JavaScript without Float16Array: a sign, 5 bits of exponent and 10 of fraction (IEEE 754, binary16). */
function numberOf(bits: number): number {
  const sign = bits & SIGN ? -1 : 1;
  const exponent = (bits & INFINITE) >> FRACTION_BITS;
  const fraction = bits & ((1 << FRACTION_BITS) - 1);
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (LEAST_EXPONENT - FRACTION_BITS);
  return sign * (1 + fraction / 2 ** FRACTION_BITS) * 2 ** (exponent - 15);
}

function bitsOf(number: number): number {
  if (Number.isNaN(number)) return NOT_A_NUMBER;
  const sign = number < 0 || Object.is(number, -0) ? SIGN : 0;
  const size = Math.abs(number);
  if (size >= ROUNDED_TO_INFINITY) return sign | INFINITE;
  const exponent = Math.max(LEAST_EXPONENT, exponentOf(size));
  // Exact, since it multiplies by a power of two.
  const fraction = roundedToEven(size * 2 ** (FRACTION_BITS - exponent));
  // A fraction that was rounded up to the next power of two carries into the exponent, as it should.
  return sign | (fraction + ((exponent - LEAST_EXPONENT) << FRACTION_BITS));
}

function exponentOf(size: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  return (view.getUint16(0) >> 4) - 1023;
}

/** Rounds to the nearest integer, or to the even one when two are equally near, as adding 2^52 does. */
function roundedToEven(number: number): number {
  return number + 2 ** 52 - 2 ** 52;
}
