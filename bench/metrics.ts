// `npm run bench -- --only metrics`: processor time of a prediction with iris, and of counting it, in this process.
import { createApp } from "../functions/app.ts";
import type { CallRecord } from "../functions/call.ts";
import { createMetricCounts, gatherRecords } from "../functions/observe/metric-counts.ts";
import type { RequestRecord } from "../functions/observe/observer.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";
import type { Table } from "./report.ts";
import { ratio, summary, type Record } from "./statistics.ts";

const REQUESTS = 2000;
const COUNTS = 20_000;

/** In one round, predictions are made, and then one of them is counted again and again. */
export async function startMetrics() {
  let call: CallRecord | undefined;
  let request: RequestRecord | undefined;
  const service = createService(createNodePlatform({ STORE: "models", ACCESS_LOG: "false" }), {
    observers: [
      { call: (record) => void (call = record), request: (record) => void (request = record) },
    ],
  });
  const app = createApp(service);
  const gathered = gatherRecords();
  createMetricCounts(undefined, gathered);
  const body = JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] });
  const asked = { method: "POST", body, headers: { "Content-Type": "application/json" } };
  const { calls, requests } = gathered;

  return {
    async measure(record: Record): Promise<void> {
      let start = process.cpuUsage();
      for (let index = 0; index < REQUESTS; index++)
        await (await app.request("/v1/models/iris/predict", asked)).arrayBuffer();
      record.add("request", microseconds(start) / REQUESTS);
      if (!call || !request) throw new Error("Nothing was recorded.");
      start = process.cpuUsage();
      for (let index = 0; index < COUNTS; index++) {
        calls.add(call);
        requests.add(request);
      }
      record.add("counting", microseconds(start) / COUNTS);
    },
    stop: async () => undefined,
  };
}

export function metricsTables(record: Record): Table[] {
  const [request, counting] = [record.get("request"), record.get("counting")];
  const share = ratio(counting, request).map((part) => part * 100);
  return [
    {
      title: "Counting metrics, iris",
      note: "The request is made without a network, and has its metrics counted too.",
      columns: ["", "processor"],
      rows: [
        ["a request, µs", summary(request, 1)],
        ["its metrics, µs", summary(counting, 2)],
        ["share, %", summary(share, 1)],
      ],
    },
  ];
}

function microseconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
