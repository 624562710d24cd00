const numbers = new WeakMap<object, number>();
let last = 0;

/**
 * A text that is equal for inputs that are sent as equal bodies. Bytes, blobs and files count by identity, because
 * reading them takes long: the same file chosen again is another input.
 */
export function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === "bigint") return String(member);
    if (!(member instanceof Blob || ArrayBuffer.isView(member))) return member;
    const number = numbers.get(member) ?? ++last;
    numbers.set(member, number);
    return { "#": number };
  });
}
