import type { ImageFormat } from "../tasks/image/formats.ts";

/** A bundler must see each name. They are imported only when needed: models without images do not start them. */
const DECODERS: Record<ImageFormat, () => Promise<{ default: WebAssembly.Module }>> = {
  jpeg: () => import("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
  png: () => import("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"),
  webp: () => import("@jsquash/webp/codec/dec/webp_dec.wasm"),
};

/** The decoder of a format, which the bundler made a compiled module of. */
export async function loadDecoder(format: ImageFormat): Promise<WebAssembly.Module> {
  const { default: module } = await DECODERS[format]();
  return module;
}
