import { writeFile } from "node:fs/promises";
import { toBinary } from "../../functions/wire/binary-tensor.ts";
import { shippedModels } from "../shipped.ts";
import { createWorkload } from "../workload.ts";
import { SESSIONS_FILE, type ShippedSession } from "./shipped-sessions.ts";

/** Writes the shipped models with their tensors for the bare programs, which make none themselves. */
export async function writeSessions(): Promise<void> {
  const models = await shippedModels();
  const sessions = await Promise.all(
    models.map(async ({ manifest: { name } }): Promise<ShippedSession> => {
      const { artifact, feeds } = await createWorkload({ model: name });
      const tensors = Object.entries(feeds[0] ?? {}).map(([input, { datatype, shape, data }]) => ({
        name: input,
        datatype,
        shape: [...shape],
        data: Array.isArray(data)
          ? data
          : Buffer.from(toBinary({ datatype, data })).toString("base64"),
      }));
      return { name, artifact, feeds: tensors };
    }),
  );
  await writeFile(SESSIONS_FILE, JSON.stringify(sessions));
}
