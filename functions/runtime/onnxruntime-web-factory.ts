import type * as OnnxRuntimeWeb from "onnxruntime-web/wasm";

/** A separate ONNX Runtime Web with its own state, WASM memory and environment. */
export type OrtWeb = Pick<typeof OnnxRuntimeWeb, "env" | "InferenceSession" | "Tensor">;

/** Makes a new ONNX Runtime Web. Its code uses `webAssembly` as its `WebAssembly`. */
export type CreateOrt = (webAssembly: typeof WebAssembly) => OrtWeb;

const EXPORTS = /export\s*\{([^{}]*)\};?\s*(?:\/\/#.*\s*)?$/;
const MALLOC = /(\w+\._malloc=)(\w+\.\w+)/g;

/**
 * The body of a {@link CreateOrt} function, from the text of `onnxruntime-web/wasm`. An ES module is evaluated once,
 * and ONNX Runtime Web keeps the runtime that it starts in module scope for ever. A function starts a new one with each
 * call. Throws when the text does not have the expected form.
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
    // A single thread gets no messages from others. Listening for them would keep its memory for ever.
    "const Atomics = Object.create(globalThis.Atomics, { waitAsync: { value: undefined } });",
    // When memory is short, `_malloc` returns 0, and ONNX Runtime Web would write the input to that address.
    "function __checked(malloc) { return (size) => { const address = malloc(size);",
    '  if (address === 0) throw new Error("std::bad_alloc"); return address; }; }',
    moduleText
      .replace(EXPORTS, "")
      .replace(MALLOC, "$1__checked($2)")
      // ONNX Runtime does not need to find its files: it gets the WASM module.
      .replaceAll("import.meta.url", '""'),
    `return { ${members.join(", ")} };`,
  ].join("\n");
}
