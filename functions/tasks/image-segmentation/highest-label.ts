import type { Parts } from "../define.ts";
import type { Size } from "../image/fit.ts";
import { eachRow, linesOf, type Grid, type Line, type Where } from "./resize.ts";
import type { SegmentMap } from "./segments.ts";

/** Which of a grid's numbers is the highest at each pixel of a picture that the grid is resized to. */
export function* highestLabels(grid: Grid, picture: Size, where: Where): Parts<SegmentMap> {
  const { depth } = grid;
  const { width, height } = picture;
  const numbers = new Uint16Array(width * height);
  const lines = linesOf(grid, picture, where);
  const best = new Uint16Array(grid.width);
  yield* eachRow(height, lines.work, (y) => {
    const line = lines.at(y);
    for (let column = 0; column < line.columns; column++)
      best[column] = highest(line.numbers, column * depth);
    for (let x = 0; x < width; x++) numbers[y * width + x] = labelAt(x, line);
  });
  return { ...picture, numbers };

  function highest(values: Float64Array, from: number): number {
    let label = 0;
    for (let other = 1; other < depth; other++)
      if (values[from + other]! > values[from + label]!) label = other;
    return label;
  }

  function labelAt(x: number, { numbers: values, first, second, part }: Line): number {
    const [one, other] = [first[x]!, second[x]!];
    // On a straight line between two places, what is highest at both ends is so in between.
    if (best[one] === best[other]) return best[one]!;
    let [label, most] = [0, -Infinity];
    for (let own = 0; own < depth; own++) {
      const value =
        values[one * depth + own]! * (1 - part[x]!) + values[other * depth + own]! * part[x]!;
      if (value > most) [label, most] = [own, value];
    }
    return label;
  }
}
