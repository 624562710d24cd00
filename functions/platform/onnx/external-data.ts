/**
 * The names of the files in which an ONNX model keeps its weights (`external_data` of TensorProto, onnx.proto). Throws
 * a RangeError when the bytes are not a whole protobuf message.
 */
export function externalDataFiles(model: Uint8Array): string[] {
  const files = new Set<string>();
  walk(model, MODEL, files);
  return [...files];
}

/** What lies below a field: another message to walk, or the entry that may name a file. */
interface Message {
  [field: number]: Message | "entry";
}

const TENSOR: Message = { 13: "entry" };
const SPARSE: Message = { 1: TENSOR, 2: TENSOR };
const GRAPH: Message = { 5: TENSOR, 15: SPARSE };
const ATTRIBUTE: Message = { 5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 22: SPARSE, 23: SPARSE };
const NODE: Message = { 5: ATTRIBUTE };
// Graphs hold nodes whose attributes hold graphs.
GRAPH[1] = NODE;
const FUNCTION: Message = { 7: NODE };
const MODEL: Message = { 7: GRAPH, 25: FUNCTION };

function walk(bytes: Uint8Array, message: Message, files: Set<string>): void {
  for (const [field, content] of lengthDelimited(bytes)) {
    const below = message[field];
    if (below === "entry") {
      const { 1: key, 2: value } = Object.fromEntries(lengthDelimited(content)) as Record<
        number,
        Uint8Array
      >;
      if (key && value && text(key) === "location") files.add(text(value));
    } else if (below) walk(content, below, files);
  }
}

/**
 * The length-delimited fields of one message, in order; all others are skipped. Throws a RangeError when the bytes are
 * not a whole protobuf message.
 */
export function* lengthDelimited(
  bytes: Uint8Array,
): Generator<[field: number, content: Uint8Array]> {
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[offset++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("the message ends within a number");
  };
  while (offset < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 1) offset += 8;
    else if (wire === 5) offset += 4;
    else if (wire === 2) {
      const length = varint();
      yield [field, bytes.subarray(offset, offset + length)];
      offset += length;
    } else throw new RangeError(`field ${field} has wire type ${wire}`);
    if (offset > bytes.length) throw new RangeError("the message ends within a field");
  }
}

/** A string field. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
