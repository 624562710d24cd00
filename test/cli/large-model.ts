/** An ONNX file of one MatMul of `[N, size]` by `[size, size]` weights, all within the file. */
export function largeModel(size: number): Uint8Array {
  const weights = Float32Array.from(
    { length: size * size },
    (_, index) => ((index % 13) - 6) / size,
  );
  const raw = Buffer.from(weights.buffer);
  const tensor = [
    number(1, size),
    number(1, size),
    number(2, 1),
    text(8, "weights"),
    message(9, [raw]),
  ];
  const node = [text(1, "x"), text(1, "weights"), text(2, "y"), text(4, "MatMul")];
  const graph = [
    message(1, node),
    text(2, "graph"),
    message(5, tensor),
    message(11, value("x", size)),
    message(12, value("y", size)),
  ];
  const operators = [text(1, ""), number(2, 17)];
  return Buffer.concat([number(1, 8), message(7, graph), message(8, operators)]);
}

function value(name: string, size: number): Buffer[] {
  const shape = [message(1, [text(2, "N")]), message(1, [number(1, size)])];
  return [text(1, name), message(2, [message(1, [number(1, 1), message(2, shape)])])];
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function text(field: number, content: string): Buffer {
  return message(field, [Buffer.from(content)]);
}

function number(field: number, content: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(content)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
