import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { lookedUp } from "./looked-up.ts";

const ROWS = 50_000;
const HEADER = "sepal_length,sepal_width,petal_length,petal_width\n";

interface Shown {
  status: string;
  counts: { total?: number; completed: number; failed: number };
}

function irisFile(): string {
  const lines = Array.from(
    { length: ROWS },
    (_, row) => `${4 + (row % 40) / 10},3,${1 + (row % 60) / 10},${(row % 25) / 10}\n`,
  );
  // Some rows have no answer.
  for (let row = 777; row < ROWS; row += 5000) lines[row] = "1,2,3\n";
  return HEADER + lines.join("");
}

/** Rows that look features up, one in three without success. */
function customersFile(): string {
  const lines = Array.from(
    { length: ROWS / 2 },
    (_, row) => `${42 + (row % 3)},${row},${row % 2 ? "" : row % 90}\n`,
  );
  return `customer_id,income,age\n${lines.join("")}`;
}

const FOUND = Array.from({ length: ROWS / 2 }, (_, row) => row).filter(
  (row) => row % 2 === 1 && row % 3 < 2,
).length;

async function kill(server: NodeServer): Promise<void> {
  process.kill(server.pid, "SIGKILL");
  await server.stop();
}

const make = (server: NodeServer, id: string, body: string, model = "iris") =>
  server.fetch(`/v1/batches/${id}?model=${model}`, {
    method: "PUT",
    headers: { "Content-Type": "text/csv" },
    body,
  });
const look = async (server: NodeServer, id: string) =>
  (await (await server.fetch(`/v1/batches/${id}`)).json()) as Shown;

async function until(server: NodeServer, id: string, isThere: (shown: Shown) => boolean) {
  for (;;) {
    const shown = await look(server, id);
    if (isThere(shown)) return shown;
    expect(["validating", "running"]).toContain(shown.status);
    await sleep(20);
  }
}

const bothOf = async (server: NodeServer, id: string) => [
  await (await server.fetch(`/v1/batches/${id}/output`)).text(),
  await (await server.fetch(`/v1/batches/${id}/errors`)).text(),
];

test.runIf(hasSqlite)(
  "a batch whose server is killed while it reads and while it answers gives what an undisturbed one gives",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-batches-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    // Features of no known time have no age, which would go on.
    const { models, table } = await lookedUp({ hasTimes: false });
    await cp("models/iris", join(models, "iris"), { recursive: true });
    let server: NodeServer | undefined;
    onTestFinished(async () => void (await server?.stop()));
    const start = () =>
      startNodeServer({
        env: {
          STORE: models,
          FEATURE_SOURCES: `customers=${table}`,
          JOBS_FILE: join(folder, "jobs.sqlite"),
          ACCESS_LOG: "false",
        },
      });
    const [file, customers] = [irisFile(), customersFile()];
    server = await start();
    expect((await make(server, "undisturbed", file)).status).toBe(202);
    await until(server, "undisturbed", ({ status }) => status === "succeeded");
    const wanted = await bothOf(server, "undisturbed");
    expect(wanted[0]?.split("\n")).toHaveLength(ROWS + 1);
    await make(server, "undisturbed-2", customers, "churn");
    await until(server, "undisturbed-2", ({ status }) => status === "succeeded");
    const looked = await bothOf(server, "undisturbed-2");
    expect(looked[0]?.match(/"features":\{"age":\{"status":"found"\}/g)).toHaveLength(FOUND);

    expect((await make(server, "killed", file)).status).toBe(202);
    expect((await make(server, "killed-2", customers, "churn")).status).toBe(202);
    await kill(server);
    server = await start();
    const before = await until(server, "killed", ({ counts }) => counts.completed > 5000);
    expect(before.status).toBe("running");
    await kill(server);
    server = await start();
    const after = await look(server, "killed");
    // What was done is not done again.
    expect(after.counts.completed).toBeGreaterThanOrEqual(before.counts.completed);
    const ended = await until(server, "killed", ({ status }) => status === "succeeded");
    expect(ended.counts).toEqual({ total: ROWS, completed: ROWS - 10, failed: 10 });
    expect(await bothOf(server, "killed")).toEqual(wanted);
    await until(server, "killed-2", ({ status }) => status === "succeeded");
    expect(await bothOf(server, "killed-2")).toEqual(looked);

    // Requests are answered meanwhile, and what was removed is not in the file.
    expect((await make(server, "third", file)).status).toBe(202);
    const begun = performance.now();
    const call = await server.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"inputs":[5.1,3.5,1.4,0.2]}',
    });
    expect(call.status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(2000);
    for (const id of ["undisturbed", "killed", "third"])
      expect((await server.fetch(`/v1/batches/${id}`, { method: "DELETE" })).status).toBe(200);
    expect((await server.fetch("/v1/batches/third")).status).toBe(404);
  },
  400_000,
);
