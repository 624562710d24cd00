import { keepInstance, type IdlePlace } from "./decoder-instance.ts";
import type { Pixels } from "./pixels.ts";

/** The options of Emscripten's modules, and the functions that these modules then have. */
interface Module {
  noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
  decode?(bytes: Uint8Array, ...options: unknown[]): ImageData | null;
  HEAPU8?: Uint8Array;
}

/** The result of decoding a file: the pixels, unless it failed, and the decoder's messages. */
export interface Decoded {
  pixels: Pixels | undefined;
  messages: readonly string[];
}

/** Decodes with an Emscripten build of jSquash. */
export function createEmscriptenDecoder(
  { factory, module, idle }: { factory: unknown; module: WebAssembly.Module; idle: IdlePlace },
  ...options: unknown[]
): (bytes: Uint8Array) => Decoded {
  const use = keepInstance(start, ({ own }) => own.HEAPU8?.byteLength ?? 0, idle);

  function start() {
    const said: { messages: string[] } = { messages: [] };
    const own: Module = {
      noInitialRun: true,
      print: () => undefined,
      printErr: (line) => void said.messages.push(line),
      // Calls `done` at once, so that the module has its functions when the factory returns.
      instantiateWasm(imports, done) {
        const instance = new WebAssembly.Instance(module, imports);
        done(instance);
        return instance.exports;
      },
    };
    void (factory as (own: Module) => Promise<unknown>)(own);
    return { own, said };
  }

  return function decode(bytes) {
    let messages: string[] = [];
    try {
      return use(({ own, said }) => {
        said.messages = messages = [];
        const image = own.decode?.(bytes, ...options);
        if (!image) throw new Error("no image");
        const { width, height, data } = image;
        const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        return { pixels: { width, height, channels: 4 as const, data: pixels }, messages };
      });
    } catch {
      return { pixels: undefined, messages };
    }
  };
}
