import { LAMBDA_MB } from "../../cli/cost/lambda.ts";
import { PRICES_READ } from "../../cli/cost/prices.ts";
import { lambdaCost, lambdaCostWithCold } from "../cost.ts";
import type { Table } from "../report.ts";
import type { Peer } from "./servers.ts";
import { median, ratio, summary, type Record } from "../statistics.ts";

export const LOADS = [
  { model: "iris", connections: 32 },
  { model: "iris", connections: 1 },
  { model: "sentiment", connections: 32 },
  { model: "digits", connections: 32 },
] as const;

/** A note that readers of every row need: what the service does not do there. */
const SETTINGS =
  "Nearcast has ACCESS_LOG=false and MAX_QUEUE_MS=60000, since no other server here writes a log or " +
  "refuses what has waited; one row has the log, as by default. Floors: node:http with one run and neither " +
  "validation nor routes, and node:http that answers a constant.";

function namesOf(peers: Peer[], model: string): string[] {
  return peers.filter(({ models }) => models?.includes(model) ?? true).map(({ name }) => name);
}

/** The tables of `npm run bench:peers`; every ratio is to the first of the servers. */
export function peerTables({ get }: Record, peers: Peer[]): Table[] {
  const names = peers.map(({ name }) => name);
  const [own = ""] = names;

  return [
    ...LOADS.map(({ model, connections }) => ({
      title: `${model}, ${connections} ${connections === 1 ? "connection" : "connections"}`,
      note:
        `Latencies in milliseconds. Ratios: ${own}'s requests/s to this server's; this server's processor ` +
        `time (kernel included) a request to ${own}'s, which the load generator cannot limit. ` +
        SETTINGS,
      columns: ["server", "requests/s", "ratio", "CPU µs a request", "ratio", "p50", "p99"],
      rows: namesOf(peers, model).map((name) => {
        const key = `${name} ${model} ${connections}`;
        return [
          name,
          summary(get(`${key} rps`), 0),
          summary(ratio(get(`${own} ${model} ${connections} rps`), get(`${key} rps`)), 2),
          summary(get(`${key} cpu`), 0),
          summary(ratio(get(`${key} cpu`), get(`${own} ${model} ${connections} cpu`)), 2),
          summary(get(`${key} p50`), 2),
          summary(get(`${key} p99`), 2),
        ];
      }),
    })),
    {
      title: "Cold start and memory",
      note:
        "Milliseconds from the start of the process to the first correct iris answer. Resident MiB at the end of " +
        "one run, after all loads, all three models warm (the floors: iris): over the server's processes the " +
        "proportional set sizes, the pages of files as one process has most of them. There is no such peak. " +
        SETTINGS,
      columns: ["server", "cold start", "ratio to " + own, "memory"],
      rows: names.map((name) => [
        name,
        summary(get(`${name} cold`), 0),
        summary(ratio(get(`${name} cold`), get(`${own} cold`)), 2),
        summary(get(`${name} memory`), 0),
      ]),
    },
    {
      title: "Cost of a million iris predictions on AWS Lambda",
      note:
        `US dollars at the list prices of ${PRICES_READ} (cli/cost/prices.ts), ${LAMBDA_MB} MB, as if Lambda ` +
        "billed what the HTTP servers above take: the p50 at one connection, rounded up to the billed millisecond; " +
        "then with one request in a hundred cold, billed from the start of the process. " +
        SETTINGS,
      columns: ["server", "warm", "1 % cold"],
      rows: names.map((name) => {
        const [warm, cold] = [median(get(`${name} iris 1 p50`)), median(get(`${name} cold`))];
        return [name, lambdaCost(warm).toFixed(2), lambdaCostWithCold(warm, cold).toFixed(2)];
      }),
    },
  ];
}
