// Compares tensors of the Open Inference Protocol, as JSON and in binary, with bare `session.run` and with the least
// server for the same bytes.
import { startGrpc } from "../test/dialects/grpc-http2.ts";
import { startNodeServer, V8_FLAGS } from "../test/harness/node-server.ts";
import type { Bare } from "./bare/build.ts";
import type { BareLoop } from "./bare/session-run.ts";
import { measureInProcess } from "./in-process.ts";
import { measureLoad } from "./load.ts";
import { PATIENT, pin, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { difference, summary, type Record } from "./statistics.ts";
import { ROWS, type TensorCase } from "./tensor-requests.ts";

const SECONDS = 1;
const IDENTITY = "test/fixtures/identity";

const CASES: [name: TensorCase, shown: string][] = [
  ["image", "1×3×224×224 float32, there and back"],
  ["iris", `${ROWS} iris rows`],
];

/** Starts the servers. `measure` is one round over all of them. */
export async function startTensors(bare: Bare) {
  const image = await startGrpc({ env: { ...PATIENT, STORE: IDENTITY } });
  const iris = await startGrpc({ env: PATIENT });
  const floor = await startNodeServer({ entry: bare.tensorServer, nodeFlags: V8_FLAGS });
  const servers = [image, iris, floor];
  for (const { pid } of servers) pin(pid, SERVER_CORE);

  async function measure(record: Record, round: number): Promise<void> {
    for (const [name] of CASES) {
      const { pid, url, grpcUrl } = name === "image" ? image : iris;
      const v2 = { pid, url: `${url}/v2/models/${name}/infer` };
      const connect = { pid, url: `${url}/inference.GRPCInferenceService/ModelInfer` };
      const formats = [
        ["json", "json", v2],
        ["binary", "binary", v2],
        ["connect", "message", connect],
        ["grpc", "message", { pid, url: grpcUrl.replace("http", "grpc") }],
        ["raw", "raw", { pid: floor.pid, url: `${floor.url}/${name}` }],
      ] as const;
      for (const [format, sent, to] of inTurn(formats, round)) {
        const requests = { tensors: name, format: sent };
        const load = { url: to.url, requests, connections: 1, seconds: SECONDS };
        const { p50, cpu } = await measureLoad(to.pid, load);
        record.add(`tensors ${name} ${format} p50`, p50);
        record.add(`tensors ${name} ${format} cpu`, cpu);
      }
      const loop: BareLoop = { tensors: name, seconds: SECONDS / 2 };
      const { p50 } = await runChild<{ p50: number }>(bare.sessionRun, loop, SERVER_CORE, V8_FLAGS);
      record.add(`tensors ${name} bare p50`, p50);
    }
    const inProcess = { tensors: "image", store: IDENTITY, seconds: SECONDS } as const;
    for (const [who, p50] of Object.entries(await measureInProcess(inProcess)))
      record.add(`tensors in-process ${who}`, p50);
  }

  return {
    measure,
    stop: () => Promise.all(servers.map((server) => server.stop())),
  };
}

export function tensorTables({ get }: Record): Table[] {
  const minus = (left: string, right: string) => summary(difference(get(left), get(right)), 3);
  return [
    {
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
            ["Connect", "connect"],
            ["gRPC", "grpc"],
            ["JSON", "json"],
          ].map(([as, format]) => [
            shown,
            as ?? "",
            summary(get(`${tensor} ${format} p50`), 3),
            minus(`${tensor} ${format} p50`, `${tensor} bare p50`),
            format === "raw" ? "" : minus(`${tensor} ${format} p50`, `${tensor} raw p50`),
            summary(get(`${tensor} ${format} cpu`), 0),
          ]),
        ];
      }),
    },
    {
      title: "The image's tensor in binary, in-process",
      note:
        "p50 in milliseconds: `app.request`, the bare run, and the least Hono app (the tensor's bytes in by " +
        "`arrayBuffer`, one run, the answer's bytes out), in turn in one process: what is over bare without a " +
        "network, and how much of that Request and Response take by themselves.",
      columns: ["bare run", "least Hono app", "service", "over bare run", "over the least app"],
      rows: [
        [
          summary(get("tensors in-process bare"), 3),
          summary(get("tensors in-process hono"), 3),
          summary(get("tensors in-process app"), 3),
          minus("tensors in-process app", "tensors in-process bare"),
          minus("tensors in-process app", "tensors in-process hono"),
        ],
      ],
    },
  ];
}
