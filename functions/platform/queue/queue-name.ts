import { randomUUID } from "node:crypto";
import type { Config } from "../../config.ts";
import type { Store } from "../../model/store.ts";
import { sha256 } from "../sha256.ts";
import { isFolder } from "../node-start.ts";
import type { NameQueue } from "./redis.ts";

const OBJECT = ".jobs/queue";

/**
 * Who shares the store shares the queue, and nobody else: a consumer that does not see a job takes it for removed. A
 * bucket has the same name everywhere. A folder may be another one on another machine, so it keeps the name itself.
 */
export function createQueueName(config: Pick<Config, "store" | "s3">, store: Store): NameQueue {
  if (!isFolder(config.store)) {
    const name = sha256(`${config.s3.endpoint ?? ""}\n${config.store}`).slice(0, 32);
    return async () => name;
  }
  return async function nameFolder(isNeeded): Promise<string | undefined> {
    const found = await store.get(OBJECT);
    if (found && found !== "not-modified") return new TextDecoder().decode(found.bytes);
    if (!isNeeded) return undefined;
    const name = randomUUID();
    const isOwn = await store.put(OBJECT, new TextEncoder().encode(name), { ifNoneMatch: "*" });
    return isOwn ? name : nameFolder(true);
  };
}
