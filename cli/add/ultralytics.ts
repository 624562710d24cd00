import type { Graph } from "../../functions/platform/onnx/graph.ts";

export const AUTHOR = "Ultralytics";

/** What an export of ultralytics says of itself in its metadata. */
export interface Ultralytics {
  /** `detect`, `segment`, `pose`, `obb` or `classify`. */
  task: string;
  size: { width: number; height: number };
  labels: string[];
}

/** Undefined for other files. Throws an Error where its metadata cannot be read. */
export function ultralyticsOf({ path, model }: Graph): Ultralytics | undefined {
  const about = new Map(model?.metadataProps.map(({ key, value }) => [key, value]));
  const [task, names, size] = ["task", "names", "imgsz"].map((key) => about.get(key));
  if (about.get("author") !== AUTHOR || !task || !names || !size) return undefined;
  const [height, width] = Array.from(size.matchAll(/\d+/g), ([digits]) => Number(digits));
  const description = about.get("description") ?? "";
  if (/rt-?detr/i.test(description))
    throw new Error(
      `${path} says that it is an RT-DETR (${description}): the ends of ultralytics' own RT-DETR have no task. An RT-DETR of Hugging Face has one, as an export folder. With --task tensor this one becomes a tensor model.`,
    );
  const labels = labelsIn(names);
  if (!height || !width || !labels)
    throw new Error(`${path}: its metadata cannot be read: imgsz is ${size}, names are ${names}.`);
  return { task, size: { width, height }, labels };
}

/** A dictionary as Python writes it: `{0: 'person', 1: "driver's seat"}`. Undefined for anything else. */
function labelsIn(text: string): string[] | undefined {
  const entry = /\s*(\d+): (?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,|\}$)/y;
  const labels: string[] = [];
  entry.lastIndex = 1;
  while (text.startsWith("{") && entry.lastIndex < text.length) {
    const [, id, single, double] = entry.exec(text) ?? [];
    if (Number(id) !== labels.length) return undefined;
    labels.push(unescaped(single ?? double ?? ""));
  }
  return labels.length > 0 && text.endsWith("}") ? labels : undefined;
}

const ESCAPE = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/g;
const CONTROLS: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

/** What Python's `repr` has written with backslashes. */
function unescaped(text: string): string {
  return text.replaceAll(ESCAPE, (_, byte?: string, short?: string, long?: string, one = "") => {
    const code = byte ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    return CONTROLS[one as string] ?? (one as string);
  });
}
