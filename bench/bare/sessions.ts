// Resident memory of the shipped models' sessions and nothing else: prints its MiB.
import { residentMemory } from "../processes.ts";
import { shippedSessions } from "./shipped-sessions.ts";

for (const { session, feeds } of await shippedSessions())
  for (let run = 0; run < 1000; run++) await session.run(feeds);
console.log(JSON.stringify(await residentMemory(process.pid)));
