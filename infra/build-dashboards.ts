// Makes infra/grafana/nearcast.json and infra/alerts/nearcast.yml from the panels, which name the metrics of the service.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ALERTS, ROWS, type Panel } from "./panels.ts";

const root = join(import.meta.dirname, "..");
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const [WIDTH, HEIGHT] = [8, 8];
const COLUMNS = 3;

/** The files, by their paths in the repository. */
export function dashboards(): Map<string, string> {
  return new Map([
    ["infra/grafana/nearcast.json", `${JSON.stringify(dashboard(), undefined, 2)}\n`],
    ["infra/alerts/nearcast.yml", rules()],
  ]);
}

function dashboard() {
  let id = 0;
  let y = 0;
  const panels: object[] = [];
  for (const [title, own] of Object.entries(ROWS)) {
    panels.push({ id: (id += 1), type: "row", title, gridPos: { x: 0, y, w: 24, h: 1 } });
    y += 1;
    for (const [index, panel] of own.entries()) {
      const place = { x: (index % COLUMNS) * WIDTH, y: y + Math.floor(index / COLUMNS) * HEIGHT };
      panels.push(graph((id += 1), panel, { ...place, w: WIDTH, h: HEIGHT }));
    }
    y += Math.ceil(own.length / COLUMNS) * HEIGHT;
  }
  return {
    uid: "nearcast",
    title: "Nearcast",
    tags: ["nearcast"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        labelVariable("job", "label_values(nearcast_build_info, job)"),
        labelVariable("model", 'label_values(nv_inference_request_success{job=~"$job"}, model)'),
        {
          name: "cpu_hour_price",
          label: "Price of a processor's hour",
          type: "textbox",
          query: "0.04",
          current: { text: "0.04", value: "0.04" },
        },
      ],
    },
    panels,
  };
}

function graph(id: number, { title, about, unit, queries }: Panel, gridPos: object) {
  return {
    id,
    type: "timeseries",
    title,
    ...(about && { description: about }),
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ query, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr: query,
      legendFormat: legend,
    })),
  };
}

function labelVariable(name: string, query: string) {
  return {
    name,
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

/** JSON texts are YAML's quoted texts. */
function rules(): string {
  const own = ALERTS.map(
    (alert) => `      - alert: ${alert.name}
        expr: ${JSON.stringify(alert.query)}
        for: ${alert.for}
        labels: { severity: ${alert.severity} }
        annotations: { summary: ${JSON.stringify(alert.summary)} }
`,
  );
  return `# Made by \`npm run build:reference\` from infra/panels.ts.
groups:
  - name: nearcast
    rules:
${own.join("")}`;
}

if (import.meta.main)
  for (const [path, text] of dashboards()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
