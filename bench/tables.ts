import { LAMBDA_MB } from "../cli/cost/lambda.ts";
import { PRICES_READ } from "../cli/cost/prices.ts";
import { lambdaCost, lambdaCostWithCold, workersCost } from "./cost.ts";
import type { Table } from "./report.ts";
import { difference, median, ratio, summary, type Record } from "./statistics.ts";

export const MODELS = ["iris", "sentiment", "digits"] as const;
export const CONNECTIONS = [1, 32] as const;
export const BATCHES = [1, 10, 100, 1000] as const;

/** Makes the tables of `npm run bench` from its records. */
export function benchTables({ get }: Record): Table[] {
  const minus = (left: string, right: string) => summary(difference(get(left), get(right)), 4);
  const rowCost = (rows: number) => median(get(`batch ${rows} http p50`)) / rows;
  const verdict = (rows: number): string => {
    const smaller = BATCHES.findLast((size) => size < rows);
    if (smaller === undefined) return "";
    return rowCost(rows) <= rowCost(smaller) ? "falls" : "rises";
  };
  return [
    {
      title: "Warm requests on the Node server",
      note:
        "Milliseconds. `floor` is node:http with one run and neither validation nor routes (iris). " +
        "CPU: processor time of the server, kernel included.",
      columns: ["what", "connections", "requests/s", "CPU µs a request", "p50", "p99"],
      rows: [...MODELS.map((model) => [model, `${model} http`]), ["floor", "floor http"]].flatMap(
        ([shown, name]) =>
          CONNECTIONS.map((connections) => [
            shown ?? "",
            String(connections),
            summary(get(`${name} ${connections} rps`), 0),
            summary(get(`${name} ${connections} cpu`), 0),
            summary(get(`${name} ${connections} p50`), 3),
            summary(get(`${name} ${connections} p99`), 3),
          ]),
      ),
    },
    {
      title: "Overhead over bare `session.run`",
      note:
        "p50 in milliseconds. In-process: `app.request`, `session.run` (bare) and the least Hono app around it, " +
        "in turn in one process. Over HTTP: the p50 of one connection less the same bare.",
      columns: [
        "model",
        "bare",
        "least Hono app",
        "in-process",
        "overhead in-process",
        "overhead over HTTP",
      ],
      rows: MODELS.map((model) => [
        model,
        summary(get(`${model} in-process bare`), 4),
        summary(get(`${model} in-process hono`), 4),
        summary(get(`${model} in-process app`), 4),
        minus(`${model} in-process app`, `${model} in-process bare`),
        minus(`${model} http 1 p50`, `${model} in-process bare`),
      ]),
    },
    {
      title: "Batches of iris rows, one connection",
      note:
        "p50 in milliseconds a request, and microseconds a row. Verdict: a row costs no more than in the next " +
        "smaller batch.",
      columns: ["rows", "request", "µs a row", "bare run", "bare µs a row", "verdict"],
      rows: BATCHES.map((rows) => {
        const perRow = (name: string) => get(name).map((ms) => (ms * 1000) / rows);
        return [
          String(rows),
          summary(get(`batch ${rows} http p50`), 3),
          summary(perRow(`batch ${rows} http p50`), 2),
          summary(get(`batch ${rows} bare p50`), 4),
          summary(perRow(`batch ${rows} bare p50`), 2),
          verdict(rows),
        ];
      }),
    },
    {
      title: "Cold start to the first correct prediction, iris",
      note:
        "Milliseconds. Node and Lambda from the start of the process; Lambda under the runtime interface " +
        "client, /tmp empty, S3 on loopback. Worker: workerd with its emulator, R2 on loopback; the first " +
        "request alone; and the first request of a further isolate, for which the Cache API holds the artifact.",
      columns: ["runtime", "service", "bare", "ratio"],
      rows: [
        ["Node server, beside a script", "node", ""],
        ["Lambda", "lambda", ""],
        ["Lambda, its init phase", "lambda", " init"],
        ["Lambda, its first invocation", "lambda", " invoke"],
        ["Worker, start and first request", "worker", ""],
        ["Worker, first request", "worker", " first"],
        ["Worker, first request of a further isolate", "worker", " next isolate"],
      ].map(([shown, runtime, part]) => {
        const [service, bare] = [get(`cold ${runtime}${part}`), get(`cold ${runtime} bare${part}`)];
        return [
          shown ?? "",
          summary(service, 0),
          summary(bare, 0),
          summary(ratio(service, bare), 2),
        ];
      }),
    },
    {
      title: "Resident memory",
      note:
        "MiB, at the end of one run. Warm: every shipped model was asked 1,000 times, as each session was in the script. Loaded: after " +
        "every load above, beside node:http over the same sessions, which had the same models asked as often.",
      columns: ["what", "service", "bare", "ratio"],
      rows: [
        ["Node server, warm, beside a script", "memory server warm", "memory bare now"],
        ["Node server, loaded, beside a script", "memory server now", "memory bare now"],
        ["Node server, loaded, beside a server", "memory server now", "memory models server now"],
        ["Node server, peak", "memory server peak", "memory models server peak"],
        ["Node server, peak of a cold start", "peak node", ""],
        ["Lambda, peak of a cold start", "peak lambda", "peak lambda bare"],
      ].map(([shown, service = "", bare]) => [
        shown ?? "",
        summary(get(service), 0),
        bare ? summary(get(bare), 0) : "",
        bare ? summary(ratio(get(service), get(bare)), 2) : "",
      ]),
    },
    {
      title: "Cost of a million predictions",
      note:
        `US dollars at the list prices of ${PRICES_READ} (cli/cost/prices.ts). Lambda, ${LAMBDA_MB} MB: the p50 of ` +
        "warm invocations under the runtime interface client, rounded up to the billed millisecond; then with one " +
        "request in a hundred cold, billed from the start of the process (iris's cold start). Workers: the processor time of the Node server on the edge's runtime, with " +
        "Node's HTTP, one connection.",
      columns: ["model", "Lambda, warm", "Lambda, 1 % cold", "Workers"],
      rows: MODELS.map((model) => {
        const [warm, cold] = [median(get(`${model} lambda warm`)), median(get("cold lambda"))];
        return [
          model,
          lambdaCost(warm).toFixed(2),
          lambdaCostWithCold(warm, cold).toFixed(2),
          workersCost(median(get(`${model} wasm cpu`)) / 1000).toFixed(2),
        ];
      }),
    },
  ];
}
