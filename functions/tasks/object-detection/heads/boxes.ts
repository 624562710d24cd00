import { highest } from "../suppress.ts";
import {
  checked,
  checkScores,
  corrupt,
  outputOf,
  type DetectionManifest,
  type Head,
} from "./head.ts";

/** Of a box: its two corners, its score and its label. */
const NUMBERS = 6;

/** The ends of graphs that choose the boxes themselves. */
export function boxesHead(manifest: DetectionManifest): Head {
  const { labels, detection } = manifest;
  const { output: name, maxDetections: most } = detection;
  const openBoxes = outputOf(manifest, { field: "output", name, shape: [-1, NUMBERS] });
  return {
    outputNames: [name],
    open(outputs, rows) {
      const { places, of } = openBoxes(outputs, rows);
      return (row, _frame, threshold) => {
        const data = of(row);
        const at = (place: number, number: number) => data[place * NUMBERS + number]!;
        const scores = Float32Array.from({ length: places }, (_, place) => at(place, 4));
        checkScores(manifest, scores);
        return highest(scores, threshold, most).map((place) => {
          const label = at(place, 5);
          if (labels[label] === undefined)
            throw corrupt(manifest, `one has the label ${label} of ${labels.length}`);
          const [xmin, ymin] = [at(place, 0), at(place, 1)];
          const box = { xmin, ymin, xmax: at(place, 2), ymax: at(place, 3) };
          return checked(manifest, { label, score: scores[place]!, box });
        });
      };
    },
  };
}
