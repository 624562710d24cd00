// `npm run bench -- --only features`: what it costs that the service looks up eight of ten features: over HTTP in one
// server, and in one process without HTTP. The same predictions sent whole, looked up with a read each, and looked up in
// memory take turns.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startNodeServer, V8_FLAGS } from "../test/harness/node-server.ts";
import type { InProcess } from "./features-in-process.ts";
import { featureBodies, FORMS, writeFeatureModels, type Form } from "./features-models.ts";
import { PATIENT, pin, runChild, SERVER_CORE } from "./processes.ts";
import type { Table } from "./report.ts";
import { inTurn } from "./rounds.ts";
import { difference, ratio, sum, summary, type Record } from "./statistics.ts";
import { measureTogether } from "./together.ts";

const BATCHES = [1, 10, 100, 1000];
const CONNECTIONS = 8;
const TURNS = 6;
/** In each turn, by the number of inputs. With fewer of them, what is looked up ran before V8 had compiled all of it. */
const requestsFor = (rows: number) => Math.round(4000 / Math.sqrt(rows));
export const FEATURES_ROUNDS = 3;

export async function startFeatures() {
  const folder = await writeFeatureModels();
  return {
    async measure(record: Record, round: number): Promise<void> {
      for (const [name, entry, forms] of SERVERS) {
        const server = await startNodeServer({
          entry: join(import.meta.dirname, entry),
          nodeFlags: V8_FLAGS,
          env: { ...PATIENT, ACCESS_LOG: "false", AUTH: "none", STORE: folder },
        });
        try {
          pin(server.pid, SERVER_CORE);
          for (const rows of BATCHES) {
            const times = await overHttp(server, rows, { forms: inTurn(forms, round), folder });
            for (const form of forms) record.add(`${name} ${rows} ${form}`, times[form] ?? NaN);
          }
        } finally {
          await server.stop();
        }
      }
      for (const rows of BATCHES) {
        const child = "features-in-process.ts";
        const own = await runChild<InProcess>(child, { rows }, SERVER_CORE, V8_FLAGS);
        for (const form of FORMS) record.add(`process ${rows} ${form}`, own[form] ?? NaN);
        record.add(`alone ${rows}`, own.alone);
        record.add(`reads ${rows}`, own.readsPerCall);
      }
    },
    stop: () => rm(folder, { recursive: true }),
  };
}

const SERVERS = [
  ["http", "features-server.ts", FORMS],
  ["bare", "bare/features-server.ts", ["whole", "read"]],
] as const;

async function overHttp(
  { pid, url }: { pid: number; url: string },
  rows: number,
  { forms, folder }: { forms: readonly Form[]; folder: string },
): Promise<{ [form: string]: number }> {
  const bodiesFile = join(folder, "bodies.json");
  await writeFile(bodiesFile, JSON.stringify(await featureBodies(rows)));
  return measureTogether({
    servers: forms.map((form) => ({ name: form, pid, url: `${url}/v1/models/${form}/predict` })),
    bodiesFile,
    turns: TURNS,
    connections: CONNECTIONS,
    amount: requestsFor(rows),
  });
}

export function featuresTables({ get }: Record): Table[] {
  const rowsOf = (where: string) =>
    BATCHES.map((rows) => {
      const of = (form: Form) => get(`${where} ${rows} ${form}`);
      return [
        String(rows),
        summary(of("whole"), 0),
        summary(of("read"), 0),
        summary(ratio(of("read"), of("whole")), 2),
        summary(ratio(of("read"), sum(of("whole"), get(`alone ${rows}`))), 2),
        summary(of("kept"), 0),
        summary(ratio(of("kept"), of("whole")), 2),
        summary(get(`reads ${rows}`), 0),
      ];
    });
  const columns = ["inputs", "sent whole", "a read", "of whole", "of whole and the read by itself", "kept", "of whole", "reads"]; // oxfmt-ignore
  return [
    {
      title: "Features by entity id over HTTP: processor time of a request, in µs",
      note: "diabetes in a Node server, kernel included: eight of ten features are looked up in the server's own memory, with a read for each request or kept from an earlier one.",
      columns,
      rows: rowsOf("http"),
    },
    {
      title: "The least code for the same: processor time of a request, in µs",
      note: "`node:http` with one run: it reads the same memory and says where each feature is from, but checks nothing.",
      columns: ["inputs", "sent whole", "a read", "of whole", "read, added µs", "added above"],
      rows: BATCHES.map((rows) => {
        const [whole, read] = [get(`bare ${rows} whole`), get(`bare ${rows} read`)];
        const above = difference(get(`http ${rows} read`), get(`http ${rows} whole`));
        return [
          String(rows),
          summary(whole, 0),
          summary(read, 0),
          summary(ratio(read, whole), 2),
          summary(difference(read, whole), 0),
          summary(above, 0),
        ];
      }),
    },
    {
      title: "The same without HTTP: processor time of a call, in µs",
      note: "`app.request` in one process: no socket and no HTTP is in either figure, so that what a look-up takes is a larger part.",
      columns,
      rows: rowsOf("process"),
    },
  ];
}
