// `node test/adversarial/cost-fuzzer.ts --minutes 5 --seed 1` looks for the requests of up to 64 kB that cost a Node server
// most: processor time, time in one piece, memory. `--only` names a part of the kinds, `--env RUNTIME=wasm` a variable of
// the server. It prints the worst of each kind and size, and ends with code 1 when one costs more than it may. Build the
// server first (`npm run build:node`).
import { join } from "node:path";
import { parseArgs } from "node:util";
import { COSTLY_BODIES } from "./costly-bodies.ts";
import { modelsFolder } from "./cost/models.ts";
import { allRecipes } from "./cost/recipes.ts";
import { report } from "./cost/report.ts";
import { createSearch, excess, lesser, type Worst } from "./cost/search.ts";
import { startServerUnderTest, type Cost } from "./cost/server.ts";
import { WARM_UP } from "./cost/warm-up.ts";
import { createRandom } from "./random.ts";

/** Requests that are measured once more at the end. */
const CONFIRMED = 60;

/** Only a fresh server shows all memory that a request takes. */
function confirmed({ metric, cost }: Worst, again: Cost): Cost {
  return metric === "memory" ? again : lesser(cost, again);
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    env: { type: "string", multiple: true, default: [] },
  },
});
process.chdir(join(import.meta.dirname, "../.."));
const recipes = allRecipes().filter(({ name }) => new RegExp(values.only).test(name));
const models = await modelsFolder();
const env = Object.fromEntries(
  values.env.map((pair) => [pair.split("=")[0] ?? "", pair.slice(pair.indexOf("=") + 1)]),
);
const server = await startServerUnderTest({ STORE: models.folder, ...env }, WARM_UP);
try {
  const floor = await server.floor();
  const search = createSearch(
    createRandom(Number(values.seed), 0),
    recipes,
    COSTLY_BODIES,
    server.measure,
  );
  const end = performance.now() + Number(values.minutes) * 60_000;
  let told = 0;
  while (performance.now() < end) {
    await search.step();
    if (search.measured() < told + 100) continue;
    told = search.measured();
    const [first] = search.worst();
    console.error(`${told} requests; the worst: ${first?.recipe.name} ${first && excess(first)}`);
  }
  const worst: Worst[] = [];
  for (const [place, one] of search.worst().entries()) {
    const isOver = excess(one) > 1 && !one.cost.ended;
    const attack = place < CONFIRMED && isOver ? one.recipe.make(one.genes) : undefined;
    if (attack && one.metric === "memory") await server.restart();
    const cost = attack ? confirmed(one, await server.measure(attack)) : one.cost;
    worst.push({ ...one, cost });
  }
  worst.sort((one, other) => excess(other) - excess(one));
  console.log(report(worst, floor));
  process.exitCode = worst.some((one) => excess(one) > 1 || one.cost.ended) ? 1 : 0;
} finally {
  await server.stop();
  await models.remove();
}
