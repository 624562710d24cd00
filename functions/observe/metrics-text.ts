import type { Metric } from "./metrics.ts";

/** The values of a metric for one set of labels, as {@link Series} has them. */
export interface Sample {
  readonly metric: Metric;
  readonly labels: readonly string[];
  readonly values: readonly number[];
}

/** The two formats that Prometheus asks for. */
export type Format = "openmetrics" | "prometheus";

export const MEDIA_TYPES: Record<Format, string> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** Writes samples in OpenMetrics 1.0, or in the text format of Prometheus. */
export function writeMetrics(samples: Iterable<Sample>, format: Format): string {
  let text = "";
  for (const [metric, own] of byMetric(samples)) text += familyOf(metric, own, format);
  return format === "openmetrics" ? `${text}# EOF\n` : text;
}

/** The samples of each metric. */
export function byMetric(samples: Iterable<Sample>): Map<Metric, Sample[]> {
  const families = new Map<Metric, Sample[]>();
  for (const sample of samples) {
    const family = families.get(sample.metric);
    if (family) family.push(sample);
    else families.set(sample.metric, [sample]);
  }
  return families;
}

const UNIT = /_(seconds|bytes)$/;

function familyOf(metric: Metric, samples: readonly Sample[], format: Format): string {
  const { name, kind, help } = metric;
  const isOpen = format === "openmetrics";
  // OpenMetrics names a family of counters without the suffix of its samples.
  const family = isOpen && kind === "counter" ? name.replace(/_total$/, "") : name;
  const type = isOpen && kind === "untyped" ? "unknown" : kind;
  let text = `# HELP ${family} ${escaped(help, isOpen)}\n# TYPE ${family} ${type}\n`;
  const unit = UNIT.exec(family)?.[1];
  if (isOpen && unit) text += `# UNIT ${family} ${unit}\n`;
  for (const sample of samples) text += metric.buckets ? histogram(sample) : single(sample);
  return text;
}

function single({ metric, labels, values }: Sample): string {
  return `${metric.name}${written(metric.labels, labels)} ${(values[0] ?? 0) / (metric.scale ?? 1)}\n`;
}

function histogram({ metric, labels, values }: Sample): string {
  const { name, buckets = [], scale = 1 } = metric;
  const names = [...metric.labels, "le"];
  let count = 0;
  let text = "";
  for (let place = 0; place <= buckets.length; place++) {
    count += values[place] ?? 0;
    const bound = buckets[place];
    const le = bound === undefined ? "+Inf" : Number.isInteger(bound) ? `${bound}.0` : `${bound}`;
    text += `${name}_bucket${written(names, [...labels, le])} ${count}\n`;
  }
  const own = written(metric.labels, labels);
  const sum = (values[buckets.length + 1] ?? 0) / scale;
  return `${text}${name}_sum${own} ${sum}\n${name}_count${own} ${count}\n`;
}

function written(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  return `{${names.map((name, index) => `${name}="${escaped(values[index] ?? "", true)}"`).join(",")}}`;
}

/** The text format leaves quotes in help texts as they are. */
function escaped(text: string, quotes: boolean): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quotes ? plain.replaceAll('"', '\\"') : plain;
}
