// A Redis of its own thread, whose address is the one message it posts.
import { parentPort } from "node:worker_threads";
import { startRedis } from "./redis-server.ts";

const { url } = await startRedis();
parentPort?.postMessage(url);
