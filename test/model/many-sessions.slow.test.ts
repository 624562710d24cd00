import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { residentMemory } from "../../bench/processes.ts";
import { heapBytes } from "../harness/heap.ts";
import { manyModels } from "../harness/many-models.ts";
import { START, startNodeServer, V8_FLAGS } from "../harness/node-server.ts";
import { inFlight, post } from "../performance/post.ts";

const MODELS = 1000;
const ROUNDS = 5;
/** In these the server learns all models, and malloc how much it takes to load some at a time. */
const FIRST_ROUNDS = 2;
const AT_A_TIME = 8;
const NOISE_MIB = 3;
/** Of JavaScript, which has room in V8's pages before resident memory grows. */
const MOST_BYTES_A_LOAD = 200;
const root = join(import.meta.dirname, "../..");
const IRIS = join(root, "models/iris/1/model.onnx");
const BARE = join(root, "bench/bare/many-sessions.ts");

// Before V8 collects its old objects, the garbage of loads adds 2 MiB every thousand, up to some 40 MiB. So both collect
// after each round.
test.skipIf(process.platform !== "linux")(
  "with a thousand models used in turn, and memory for few, a server grows no more than bare sessions do",
  async () => {
    const store = await manyModels(MODELS, { artifact: await readFile(IRIS) });
    onTestFinished(store.remove);
    const own = await serverMemory(store);
    const args = ["--expose-gc", ...V8_FLAGS, BARE, store.folder, String(ROUNDS)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const bare = JSON.parse(stdout) as number[];
    expect(growth(own.heap) / MODELS / (ROUNDS - FIRST_ROUNDS)).toBeLessThan(MOST_BYTES_A_LOAD);
    expect(growth(own.resident)).toBeLessThan(Math.max(0, growth(bare)) * 1.5 + NOISE_MIB);
  },
  300_000,
);

/** Resident MiB and the heap's bytes after each round, with the flags of `npm start`. */
async function serverMemory({ folder, names }: { folder: string; names: readonly string[] }) {
  const server = await startNodeServer({
    entry: START.at(-1) as string,
    nodeFlags: [...V8_FLAGS, "--inspect=127.0.0.1:0"],
    env: {
      STORE: folder,
      SESSION_BUDGET_MB: "4",
      ACCESS_LOG: "false",
      MAX_QUEUE_MS: "60000",
      REQUEST_TIMEOUT_MS: "120000",
    },
  });
  onTestFinished(async () => void (await server.stop()));
  const inspector = new URL(/ws:\S+/.exec(server.logs)?.[0] ?? "");
  const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME });
  onTestFinished(() => agent.destroy());
  const [resident, heap]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const left = [...names];
    await inFlight(AT_A_TIME, MODELS, () =>
      post(agent, `${server.url}/v1/models/${left.pop()}/predict`, '{"inputs":[5.1,3.5,1.4,0.2]}'),
    );
    const wake = () => server.fetch("/health").then((answer) => answer.text());
    heap.push(await heapBytes(inspector, wake));
    resident.push((await residentMemory(server.pid)).now);
  }
  return { resident, heap };
}

function growth(rounds: readonly number[]): number {
  return (rounds.at(-1) ?? NaN) - (rounds[FIRST_ROUNDS - 1] ?? NaN);
}
