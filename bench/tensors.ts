// Tensors of the Open Inference Protocol, as JSON and in binary, beside bare `session.run` and the least
// server that carries the same bytes.
import { startNodeServer } from "../test/harness/node-server.ts";
import type { BareLoop } from "./bare/session-run.ts";
import { measureLoad } from "./load.ts";
import { PATIENT, pin, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { summary, type Record } from "./statistics.ts";
import { ROWS, type TensorCase } from "./tensor-requests.ts";

const SECONDS = 1;

const CASES: [name: TensorCase, shown: string][] = [
  ["image", "1×3×224×224 float32, there and back"],
  ["iris", `${ROWS} iris rows`],
];

/** Servers that take the tensors; `measure` is one round over all of them. */
export async function startTensors() {
  const image = await startNodeServer({ env: { ...PATIENT, STORE: "test/fixtures/identity" } });
  const iris = await startNodeServer({ env: PATIENT });
  const floor = await startNodeServer({ entry: "bench/bare/tensor-server.ts" });
  const servers = [image, iris, floor];
  for (const { pid } of servers) pin(pid, SERVER_CORE);

  async function measure(record: Record): Promise<void> {
    for (const [name] of CASES) {
      const { pid, url } = name === "image" ? image : iris;
      const v2 = { pid, url: `${url}/v2/models/${name}/infer` };
      for (const [format, to] of [
        ["json", v2],
        ["binary", v2],
        ["raw", { pid: floor.pid, url: `${floor.url}/${name}` }],
      ] as const) {
        const requests = { tensors: name, format };
        const load = { url: to.url, requests, connections: 1, seconds: SECONDS };
        const { p50, cpu } = await measureLoad(to.pid, load);
        record.add(`tensors ${name} ${format} p50`, p50);
        record.add(`tensors ${name} ${format} cpu`, cpu);
      }
      const loop: BareLoop = { tensors: name, seconds: SECONDS / 2 };
      const bare = await runChild<{ p50: number }>("bare/session-run.ts", loop, SERVER_CORE);
      record.add(`tensors ${name} bare p50`, bare.p50);
    }
  }

  return {
    measure,
    stop: () => Promise.all(servers.map((server) => server.stop())),
  };
}

export function tensorTable({ get }: Record): Table {
  const difference = (left: string, right: string) =>
    get(left).map((value, round) => value - (get(right)[round] ?? NaN));
  return {
    title: "Tensors in the Open Inference Protocol, one connection",
    note:
      "p50 in milliseconds, in the client's view. `floor` is node:http with the tensor's bytes in, one run, " +
      "and the answer's bytes out: what no server can do without.",
    columns: ["tensor", "as", "request", "over bare run", "over the floor", "CPU µs a request"],
    rows: CASES.flatMap(([name, shown]) => {
      const tensor = `tensors ${name}`;
      return [
        [shown, "bare run", summary(get(`${tensor} bare p50`), 3), "", "", ""],
        ...[
          ["floor", "raw"],
          ["binary", "binary"],
          ["JSON", "json"],
        ].map(([as, format]) => [
          shown,
          as ?? "",
          summary(get(`${tensor} ${format} p50`), 3),
          summary(difference(`${tensor} ${format} p50`, `${tensor} bare p50`), 3),
          format === "raw"
            ? ""
            : summary(difference(`${tensor} ${format} p50`, `${tensor} raw p50`), 3),
          summary(get(`${tensor} ${format} cpu`), 0),
        ]),
      ];
    }),
  };
}
