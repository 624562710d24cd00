import { totalmem } from "node:os";

/** The memory that this process may take: its container's limit, or what the machine has. */
export function processBytes(): number {
  // A number larger than any machine where no limit is set.
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}
