import type * as OnnxRuntimeWeb from "onnxruntime-web/wasm";

/** One ONNX Runtime Web of its own: its state, its WASM memory, its environment. */
export type OrtWeb = Pick<typeof OnnxRuntimeWeb, "env" | "InferenceSession" | "Tensor">;

/** Makes a new ONNX Runtime Web, which sees `webAssembly` where its code says `WebAssembly`. */
export type CreateOrt = (webAssembly: typeof WebAssembly) => OrtWeb;

const EXPORTS = /export\s*\{([^{}]*)\};?\s*(?:\/\/#.*\s*)?$/;
const MALLOC = /(\w+\._malloc=)(\w+\.\w+)/g;

/**
 * The body of a {@link CreateOrt} function, from the text of `onnxruntime-web/wasm`. An ES module is
 * evaluated once, and ONNX Runtime Web keeps the one runtime that it starts in module scope, for ever;
 * a function starts as many as it is called. Throws when the text is not of the shape that it knows.
 */
export function factoryBody(moduleText: string): string {
  const names = EXPORTS.exec(moduleText)?.[1];
  const mallocs = moduleText.match(MALLOC)?.length;
  if (names === undefined || mallocs !== 1)
    throw new Error("this release of onnxruntime-web needs another onnxruntime-web-factory.ts");
  const members = names
    .split(",")
    .map((pair) => pair.trim().split(/\s+as\s+/))
    .map(([local, exported = local]) => `${exported}: ${local}`);
  return [
    // One thread gets no messages of others: waiting for them would only keep its memory for ever.
    "const Atomics = Object.create(globalThis.Atomics, { waitAsync: { value: undefined } });",
    // Where memory is short `_malloc` answers 0, and ONNX Runtime Web would write the input there.
    "function __checked(malloc) { return (size) => { const address = malloc(size);",
    '  if (address === 0) throw new Error("std::bad_alloc"); return address; }; }',
    moduleText
      .replace(EXPORTS, "")
      .replace(MALLOC, "$1__checked($2)")
      // Where the files of ONNX Runtime lie is of no interest: it is given the WASM module.
      .replaceAll("import.meta.url", '""'),
    `return { ${members.join(", ")} };`,
  ].join("\n");
}
