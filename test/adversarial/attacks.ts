import { tensorAttack } from "./binary-attacks.ts";
import { headerAttack, pathAttack } from "./envelope-attacks.ts";
import { codingAttack, csvAttack, formAttack, imageAttack } from "./file-attacks.ts";
import { jsonAttack } from "./json-attacks.ts";
import { rawAttack } from "./raw-attacks.ts";
import { rpcAttack } from "./rpc-attacks.ts";
import { createRandom, type Random } from "./random.ts";
import type { Attack, RawAttack } from "./request.ts";

const KINDS: readonly [weight: number, make: (random: Random) => Attack | RawAttack][] = [
  [40, jsonAttack],
  [14, tensorAttack],
  [10, headerAttack],
  [10, pathAttack],
  [8, imageAttack],
  [6, (random) => formAttack(random)],
  [5, codingAttack],
  [4, csvAttack],
  [3, rawAttack],
  [8, rpcAttack],
];
const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/** The request number `index` of a seed. */
export function makeAttack(seed: number, index: number): Attack | RawAttack {
  const random = createRandom(seed, index);
  let place = random.below(TOTAL);
  for (const [weight, make] of KINDS) {
    if (place < weight) return make(random);
    place -= weight;
  }
  throw new Error("The weights do not add up.");
}
