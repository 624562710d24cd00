// A Redis in a thread of its own. The only message that it posts is its address.
import { parentPort } from "node:worker_threads";
import { startRedis } from "./redis-server.ts";

const { url } = await startRedis();
parentPort?.postMessage(url);
