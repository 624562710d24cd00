// `npm run bench -- --only soak` sends many different requests of every kind to one server. One in twenty is bad. Each
// request is sent alone first, and every later answer must equal that one. That shows answers that were mixed up. Memory
// is sampled for a trend, always after a garbage collection, because V8 would keep garbage for longer than this runs.
// With `--costly` one in ten is one of the costliest bodies that test/adversarial knows, and the waits of the good ones
// are compared with those of the same run without such bodies.
import { Agent, request } from "node:http";
import { compareAnswers } from "../cli/compare.ts";
import { modelsFolder } from "../test/adversarial/cost/models.ts";
import { startNodeServer } from "../test/harness/node-server.ts";
import { heapBytes } from "../test/harness/heap.ts";
import { PATIENT, residentMemory } from "./processes.ts";
import type { Table } from "./report.ts";
import { shippedModels } from "./shipped.ts";
import { badRequests, costlyBodies, goodRequests, type Asked } from "./soak-requests.ts";
import { soakTable, type Soaked } from "./soak-table.ts";

export interface SoakOptions {
  requests: number;
  costly: boolean;
}

/** How many times memory is sampled. */
const SAMPLES = 20;
const CONNECTIONS = 16;
/** One request in this many is bad, and with costly ones another one in this many is one of those. */
const BAD_EVERY = 20;
const COSTLY_EVERY = 10;
/** One in this many requests is sent while there are no costly ones. */
const QUIET_PART = 10;
/** How much numbers of an example may differ, as in `nearcast verify`. */
const TOLERANCE = 1e-4;

export async function soak({ requests, costly }: SoakOptions): Promise<Table[]> {
  const store = costly ? await modelsFolder() : undefined;
  const env = {
    ...PATIENT,
    NODE_OPTIONS: "--inspect=127.0.0.1:0",
    ...(store && { STORE: store.folder, DEFAULT_MODEL: "iris" }),
  };
  const server = await startNodeServer({ env });
  const inspector = new URL(/ws:\S+/.exec(server.logs)?.[0] ?? "");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const models = await shippedModels();
    const good = (await Promise.all(models.map(goodRequests))).flat();
    const bad = badRequests();
    const worst = costly ? costlyBodies() : [];
    const answers = new Map<Asked, string>();
    const samples: number[] = [];
    const quiet: number[] = [];
    const mixed: number[] = [];
    let sent = 0;
    let wrong = 0;
    const sample = async (): Promise<void> => {
      // Collects garbage first.
      await heapBytes(inspector, async () => (await server.fetch("/health")).arrayBuffer());
      samples.push((await residentMemory(server.pid)).now);
    };
    const ask = async (asked: Asked): Promise<number> => {
      const start = performance.now();
      const answer = await send(agent, server.url, asked);
      const waited = performance.now() - start;
      // Ids differ from request to request.
      const text = `${answer.status} ${answer.text.replace(/"requestId":"[^"]*"/, "")}`;
      const known = answers.get(asked);
      answers.set(asked, known ?? text);
      if (known === undefined ? await isRight(asked, answer) : text === known) return waited;
      wrong += 1;
      console.error(`${asked.path}: ${text.slice(0, 300)}`);
      return waited;
    };
    /** Sends this many requests, and notes how long the good ones waited. */
    const run = async (count: number, waits: number[], isQuiet: boolean) => {
      const end = sent + count;
      const client = async (): Promise<void> => {
        while (sent < end) {
          const kinds = kindsOf(sent++, isQuiet ? [] : worst);
          // A random order brings each request together with every other one.
          const asked = kinds[Math.floor(Math.random() * kinds.length)];
          if (!asked) continue;
          const waited = await ask(asked);
          if (kinds === good) waits.push(waited);
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, client));
    };
    const kindsOf = (turn: number, costlyOnes: Asked[]): Asked[] =>
      turn % BAD_EVERY === 0
        ? bad
        : costlyOnes.length > 0 && turn % COSTLY_EVERY === 1
          ? costlyOnes
          : good;
    for (const asked of [...good, ...bad, ...worst]) await ask(asked);
    const every = Math.ceil(requests / SAMPLES);
    await sample();
    for (let taken = 0; taken < SAMPLES; taken++) {
      if (costly) await run(Math.ceil(every / QUIET_PART), quiet, true);
      await run(every, mixed, false);
      await sample();
      console.error(`${sent} requests, ${samples.at(-1)?.toFixed(0)} MiB, ${wrong} wrong`);
    }
    const different = new Set(good.map((asked) => answers.get(asked))).size;
    const soaked: Soaked = {
      requests: every * SAMPLES,
      connections: CONNECTIONS,
      badEvery: BAD_EVERY,
      costly: costly ? { every: COSTLY_EVERY, kinds: worst.length, quiet, mixed } : undefined,
      tolerance: TOLERANCE,
      samples,
      wrong,
      kinds: good.length,
      different,
    };
    return [soakTable(soaked)];
  } finally {
    agent.destroy();
    await server.stop();
    await store?.remove();
  }
}

interface Answer {
  status: number;
  text: string;
}

async function isRight({ status, holds, outputs }: Asked, given: Answer): Promise<boolean> {
  if (status === undefined) return given.status < 500 || given.status === 507;
  if (status !== given.status || !given.text.includes(holds)) return false;
  if (outputs === undefined) return true;
  const answer = JSON.parse(given.text) as { outputs: unknown };
  const { mismatch } = await compareAnswers(outputs, answer.outputs, TOLERANCE);
  return mismatch === undefined;
}

function send(agent: Agent, url: string, { path, contentType, headers, body }: Asked) {
  return new Promise<Answer>((resolve, reject) => {
    const asked = request(new URL(path, url), {
      method: "POST",
      agent,
      headers: {
        ...(contentType !== undefined && { "content-type": contentType }),
        "content-length": body.length,
        ...headers,
      },
    });
    asked.once("error", reject);
    asked.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.once("error", reject);
    });
    asked.end(body);
  });
}
