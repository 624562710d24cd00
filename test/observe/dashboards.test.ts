import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { expect, test } from "vitest";
import { dashboards } from "../../infra/build-dashboards.ts";
import { ALERTS, ROWS } from "../../infra/panels.ts";
import { GAUGES, SUMMED } from "../../functions/observe/metrics.ts";
import { hasPrometheus, promtool } from "../harness/promtool.ts";
import { withoutVariables } from "../harness/queries.ts";

const root = join(import.meta.dirname, "../..");
const panels = Object.values(ROWS).flat();
const queries = [
  ...panels.flatMap(({ title, queries }) => queries.map(({ query }) => [title, query] as const)),
  ...ALERTS.map(({ name, query }) => [name, query] as const),
].map(([name, query]) => [name, withoutVariables(query)] as const);

test.each([...dashboards()])("%s is what `npm run build:reference` makes", async (path, text) => {
  expect(await readFile(join(root, path), "utf8")).toBe(text);
});

test.each(queries)("the query of %s is PromQL", (_name, query) => {
  const wrong: string[] = [];
  parser.parse(query).iterate({
    enter: ({ type, from }) => void (type.isError && wrong.push(query.slice(from))),
  });
  expect(wrong).toEqual([]);
});

test("queries name metrics and labels of the table", () => {
  const metrics = new Map(
    [...Object.values(SUMMED), ...Object.values(GAUGES)].map(({ name, labels }) => [name, labels]),
  );
  for (const [, query] of queries) {
    const names = query.match(/\b(nearcast|nv|http_server|process)_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names)
      expect([...metrics.keys()], name).toContain(name.replace(/_bucket$/, ""));
  }
});

test.skipIf(!hasPrometheus)("promtool takes the alerts", () => {
  const { status, said } = promtool(["check", "rules", join(root, "infra/alerts/nearcast.yml")]);
  expect([status, said]).toEqual([0, expect.stringContaining(`SUCCESS: ${ALERTS.length} rules`)]);
});
