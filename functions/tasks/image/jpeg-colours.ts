import type { JpegFile } from "./jpeg-file.ts";
import type { Pixels } from "./pixels.ts";

/** The meaning of a JPEG's planes. */
type ColourSpace = "YCbCr" | "RGB" | "YCCK" | "CMYK";

/** The colour space of three or four components, decided as libjpeg does (`default_decompress_parms`). */
export function colourSpaceOf({ components, adobeTransform, hasJfif }: JpegFile): ColourSpace {
  if (components.length === 4)
    return adobeTransform === undefined || adobeTransform === 0 ? "CMYK" : "YCCK";
  if (hasJfif) return "YCbCr";
  if (adobeTransform !== undefined) return adobeTransform === 0 ? "RGB" : "YCbCr";
  return String.fromCharCode(...components.map(({ id }) => id)) === "RGB" ? "RGB" : "YCbCr";
}

/** Joins planes to RGB with a fourth byte, as libjpeg and Pillow do. */
export function joinPlanes(
  planes: readonly Uint8Array[],
  space: ColourSpace,
  { width, height }: Pick<Pixels, "width" | "height">,
): Pixels {
  const [first, second, third, black] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array?];
  const data = new Uint8Array(width * height * 4);
  const isLuma = space === "YCbCr" || space === "YCCK";
  for (let pixel = 0; pixel < width * height; pixel++) {
    let [red, green, blue] = [first[pixel] ?? 0, second[pixel] ?? 0, third[pixel] ?? 0];
    if (isLuma) [red, green, blue] = fromLuma(red, green - 128, blue - 128);
    if (black) {
      // Pillow takes all four planes as inverted, since Adobe's programs write them so. YCCK was inverted once already.
      const light = black[pixel] ?? 0;
      red = light - scaled(isLuma ? red : 255 - red, light);
      green = light - scaled(isLuma ? green : 255 - green, light);
      blue = light - scaled(isLuma ? blue : 255 - blue, light);
    }
    data[pixel * 4] = red;
    data[pixel * 4 + 1] = green;
    data[pixel * 4 + 2] = blue;
    data[pixel * 4 + 3] = 255;
  }
  return { width, height, channels: 4, data };
}

/** YCbCr to RGB in the fixed point of libjpeg's `jdcolor.c`: 65,536 times 1.402, 0.344136, 0.714136 and 1.772. */
function fromLuma(luma: number, blueness: number, redness: number): [number, number, number] {
  return [
    clamp(luma + ((91_881 * redness + 32_768) >> 16)),
    clamp(luma + ((-22_554 * blueness - 46_802 * redness + 32_768) >> 16)),
    clamp(luma + ((116_130 * blueness + 32_768) >> 16)),
  ];
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** Pillow's `MULDIV255`: the product over 255, rounded. */
function scaled(value: number, by: number): number {
  const product = value * by + 128;
  return ((product >> 8) + product) >> 8;
}
