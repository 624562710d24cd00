import { expect, test } from "vitest";
import { encode as encodePng } from "fast-png";
import { residentMemory } from "../../bench/processes.ts";
import { plainWebp } from "../adversarial/cost/pictures.ts";
import { createRandom, type Random } from "../adversarial/random.ts";
import { encodeJpeg } from "../harness/images.ts";
import { startNodeServer } from "../harness/node-server.ts";

const PICTURES = 4000;
const AT_ONCE = 4;
/** What the second half may add, in MiB. A leak of one decoder in a hundred pictures would be more. */
const MOST_GROWTH = 100;
/** What was held at the highest, in MiB, beyond what a server with its decoders started holds. */
const MOST_BEYOND_START = 300;

test(
  "thousands of damaged pictures leave the server's memory level",
  { timeout: 600_000 },
  async () => {
    const server = await startNodeServer({ env: { ACCESS_LOG: "false", MAX_QUEUE_MS: "60000" } });
    try {
      const random = createRandom(12, 0);
      const files = [...pictures(300, 200), ...pictures(1000, 800)];
      const statuses = new Map<number, number>();
      const send = async (count: number) => {
        let left = count;
        const client = async () => {
          while (left-- > 0) {
            const { status } = await server.fetch("/v1/models/digits/predict", {
              method: "POST",
              headers: { "Content-Type": "application/octet-stream" },
              body: damaged(random, random.pick(files)),
            });
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, client));
        return (await residentMemory(server.pid)).now;
      };
      const atStart = await send(12);
      const atHalf = await send(PICTURES / 2);
      const atEnd = await send(PICTURES / 2);
      const { peak } = await residentMemory(server.pid);
      expect([...statuses.keys()].toSorted((one, other) => one - other)).toEqual([200, 422]);
      expect(statuses.get(422)).toBeGreaterThan(PICTURES / 4);
      expect(atEnd - atHalf).toBeLessThan(MOST_GROWTH);
      expect(peak - atStart).toBeLessThan(MOST_BEYOND_START);
    } finally {
      await server.stop();
    }
  },
);

function pictures(width: number, height: number): Uint8Array[] {
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at++) data[at] = (at >> 6) + ((at * 7919) % 23);
  return [
    encodeJpeg({ width, height, data }, 80),
    encodePng({ width, height, data }),
    plainWebp(width, height, false),
    plainWebp(width, height, true),
  ];
}

/** With some bytes changed, or without its end. */
function damaged(random: Random, file: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(file);
  if (random.chance(0.3)) return result.subarray(0, random.below(result.length));
  for (let left = 1 + random.below(5); left > 0; left--)
    result[random.below(result.length)] = random.below(256);
  return result;
}
