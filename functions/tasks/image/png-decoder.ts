import { keepInstance } from "./decoder-instance.ts";
import type { Pixels } from "./pixels.ts";

/** The exports of `@jsquash/png`'s WASM. The package's own JavaScript is not used: it can start the WASM only once. */
interface Exports {
  memory: WebAssembly.Memory;
  __wbindgen_malloc(bytes: number, alignment: number): number;
  __wbindgen_free(address: number, bytes: number, alignment: number): void;
  decode(address: number, bytes: number): number;
  decode_rgba16(address: number, bytes: number): number;
  imagedatargba16_width(image: number): number;
  imagedatargba16_height(image: number): number;
  imagedatargba16_data(image: number): number;
  __wbg_imagedatargba16_free(image: number): void;
}

interface Instance {
  exports: Exports;
  /** The image that the last call gave to JavaScript. */
  image?: Pixels;
  samples?: Uint16Array;
}

export interface PngDecoder {
  /** RGBA of 8 bits. Undefined when the file is damaged. */
  decode(bytes: Uint8Array): Pixels | undefined;
  /** Grey of 16 bits. Undefined when the file is damaged. */
  decodeDeep(bytes: Uint8Array): { width: number; height: number; data: Uint16Array } | undefined;
}

/** Decodes PNG files with the WASM of `@jsquash/png`. */
export function createPngDecoder(module: WebAssembly.Module): PngDecoder {
  const use = keepInstance(
    () => start(module),
    ({ exports }) => exports.memory.buffer.byteLength,
    {},
  );

  function attempt<Result>(work: (instance: Instance) => Result): Result | undefined {
    try {
      return use(work);
    } catch {
      return undefined;
    }
  }

  return {
    decode: (bytes) =>
      attempt((instance) => {
        instance.exports.decode(...pass(instance.exports, bytes));
        return instance.image;
      }),
    decodeDeep: (bytes) =>
      attempt((instance) => {
        const { exports } = instance;
        const image = exports.decode_rgba16(...pass(exports, bytes));
        const width = exports.imagedatargba16_width(image);
        const height = exports.imagedatargba16_height(image);
        exports.imagedatargba16_data(image);
        // The samples are a view of the WASM memory: red, green, blue and alpha. Grey is the first of each four.
        const { samples = new Uint16Array() } = instance;
        const data = new Uint16Array(width * height);
        for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = samples[pixel * 4] ?? 0;
        exports["__wbg_imagedatargba16_free"](image);
        return { width, height, data };
      }),
  };
}

function pass(exports: Exports, bytes: Uint8Array): [address: number, bytes: number] {
  const address = exports["__wbindgen_malloc"](bytes.byteLength, 1) >>> 0;
  new Uint8Array(exports.memory.buffer).set(bytes, address);
  return [address, bytes.byteLength];
}

/**
 * Starts the WASM with the functions that Rust calls. Finds them by the beginning of their names, which end in a
 * digest.
 */
function start(module: WebAssembly.Module): Instance {
  const functions: Record<string, (...values: number[]) => unknown> = {
    __wbg_newwithownedu8clampedarrayandsh: (address = 0, bytes = 0, width = 0, height = 0) => {
      const { exports } = instance;
      const from = address >>> 0;
      const data = new Uint8Array(exports.memory.buffer.slice(from, from + bytes));
      exports["__wbindgen_free"](address, bytes, 1);
      instance.image = { width, height, channels: 4, data };
      return 0;
    },
    __wbg_newwithbyteoffsetandlength: (_buffer, offset = 0, length = 0) => {
      const { buffer } = instance.exports.memory;
      instance.samples = new Uint16Array(buffer, offset >>> 0, length);
      return 0;
    },
    __wbg_buffer: () => 0,
    __wbindgen_memory: () => 0,
    __wbindgen_object_drop_ref: () => undefined,
    __wbindgen_throw: () => {
      throw new Error("The decoder failed.");
    },
  };
  const imports = WebAssembly.Module.imports(module).map(({ name }) => {
    const known = Object.keys(functions).find((own) => name.startsWith(own));
    if (known === undefined) throw new Error(`this release of @jsquash/png needs ${name}`);
    return [name, functions[known]] as const;
  });
  const { exports } = new WebAssembly.Instance(module, {
    wbg: Object.fromEntries(imports) as WebAssembly.ModuleImports,
  });
  const instance: Instance = { exports: exports as unknown as Exports };
  return instance;
}
