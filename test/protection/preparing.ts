// A server whose clients ask for more preparation than the processor has time for.
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { encodePng, pngChunk } from "../harness/images.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../../models");
/** A hundred milliseconds or more to decode. A text beside the picture gives it the bytes that so many pixels need. */
const PICTURE = encodePng({ width: 4000, height: 4000, inflatesTo: 4001 * 4000 });
const IMAGE = Buffer.concat([
  PICTURE.subarray(0, 33),
  pngChunk("tEXt", Buffer.alloc(260_000, "a")),
  PICTURE.subarray(33),
]);
export const IRIS = { inputs: [[5.1, 3.5, 1.4, 0.2]] };

/** The server of the running test. */
export let server: NodeServer;
afterEach(() => server.stop());

export async function begin(env: Record<string, string> = {}): Promise<void> {
  server = await startNodeServer({ env: { STORE, ...env } });
  expect((await ask("iris", IRIS)).status).toBe(200);
  expect((await ask("search", { inputs: "warm" })).status).toBe(200);
  expect((await decode()).status).toBe(200);
}

interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export function ask(
  model: string,
  body: unknown,
  { signal, headers }: Options = {},
): Promise<Response> {
  return server.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

export function decode({ signal, headers }: Options = {}): Promise<Response> {
  return server.fetch("/v1/models/digits/predict", {
    method: "POST",
    headers: { "Content-Type": "image/png", ...headers },
    body: new Uint8Array(IMAGE),
    ...(signal && { signal }),
  });
}

/** The access log's lines of digits, without the first, which loaded the model. One that was cut off has no phases. */
export function decoded(): { status: number; phases?: Record<string, number> }[] {
  return server.logs
    .split("\n")
    .filter((line) => line.includes('"path":"/v1/models/digits/predict"'))
    .map((line) => JSON.parse(line))
    .slice(1);
}
