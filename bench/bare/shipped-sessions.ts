import { readFile } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Datatype } from "../../functions/tensor.ts";
import { sessionOptions } from "./session-options.ts";

/** A shipped model with the tensors of its first example, as `writeSessions` wrote it. */
export interface ShippedSession {
  name: string;
  artifact: string;
  feeds: { name: string; datatype: Datatype; shape: number[]; data: string | string[] }[];
}

/** Below the working directory. */
export const SESSIONS_FILE = ".cache/bench/bare/sessions.json";

/** A session of every shipped model, with the same tensors that the service makes of its first example. */
export async function shippedSessions() {
  const models = JSON.parse(await readFile(SESSIONS_FILE, "utf8")) as ShippedSession[];
  return Promise.all(
    models.map(async ({ name, artifact, feeds }) => ({
      name,
      session: await InferenceSession.create(artifact, sessionOptions),
      feeds: Object.fromEntries(feeds.map((feed) => [feed.name, tensorOf(feed)])),
    })),
  );
}

function tensorOf({ datatype, shape, data }: ShippedSession["feeds"][number]): Tensor {
  if (Array.isArray(data)) return new Tensor("string", data, shape);
  const { buffer } = new Uint8Array(Buffer.from(data, "base64"));
  return datatype === "INT64"
    ? new Tensor("int64", new BigInt64Array(buffer), shape)
    : new Tensor("float32", new Float32Array(buffer), shape);
}
