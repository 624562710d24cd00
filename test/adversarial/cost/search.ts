import type { Random } from "../random.ts";
import type { Attack } from "../request.ts";
import { mutate, randomGenes, shrink, type Genes, type Recipe } from "./genes.ts";
import type { Cost } from "./server.ts";

/** What a request may cost. */
export const BOUNDS = { piece: 50, cpu: 250, memory: 64 } as const;

export type Metric = keyof typeof BOUNDS;
const METRICS = Object.keys(BOUNDS) as Metric[];

/** Sizes of bodies as they are sent, in bytes: from a kilobyte or less to 64. */
const SIZE_CLASSES = [4096, 16_384, 65_536] as const;

/** A costly request that was found before. */
export interface Known {
  /** The name of its recipe. */
  kind: string;
  genes: Genes;
}

/** The worst request of a recipe and a size by one metric. */
export interface Worst {
  recipe: Recipe;
  size: number;
  metric: Metric;
  genes: Genes;
  bytes: number;
  cost: Cost;
}

export interface Search {
  /** Measures one more request. */
  step: () => Promise<void>;
  worst: () => Worst[];
  measured: () => number;
}

/**
 * Keeps the worst request by recipe, size and metric, and changes those that it keeps (this is MAP-Elites): no kind
 * hides another. It begins with those that are known.
 */
export function createSearch(
  random: Random,
  recipes: readonly Recipe[],
  known: readonly Known[],
  measure: (attack: Attack) => Promise<Cost>,
): Search {
  const archive = new Map<string, Worst>();
  const order: Recipe[] = [];
  const first = known.flatMap(({ kind, genes }) => {
    const recipe = recipes.find(({ name }) => name === kind);
    return recipe ? [{ recipe, genes }] : [];
  });
  let measured = 0;

  function next(): { recipe: Recipe; genes: Genes } {
    const begun = first.shift();
    if (begun) return begun;
    const kept = [...archive.values()];
    if (kept.length > 0 && random.chance(0.6)) {
      // Of two, the worse: what is near a bound gets more tries, and all get some.
      const [one, other] = [random.pick(kept), random.pick(kept)];
      const { recipe, genes } = excess(one) > excess(other) ? one : other;
      return { recipe, genes: mutate(random, recipe, genes) };
    }
    if (order.length === 0) order.push(...recipes);
    const recipe = order.splice(random.below(order.length), 1)[0] as Recipe;
    return { recipe, genes: randomGenes(random, recipe) };
  }

  return {
    measured: () => measured,
    worst: () => [...archive.values()].toSorted((one, other) => excess(other) - excess(one)),
    async step() {
      const chosen = next();
      const { recipe } = chosen;
      const fitting = fit(recipe, chosen.genes);
      if (!fitting) return;
      const { genes, attack, bytes } = fitting;
      const size = SIZE_CLASSES.find((most) => bytes <= most) as number;
      let cost = await measure(attack);
      measured += 1;
      const key = (metric: Metric) => `${recipe.name} ${size} ${metric}`;
      const isWorse = (metric: Metric) =>
        cost[metric] > (archive.get(key(metric))?.cost[metric] ?? 0);
      if (!METRICS.some(isWorse)) return;
      // Once may be chance: what is compiled or collected just then. The lesser of two counts.
      if (!cost.ended) cost = lesser(cost, await measure(attack));
      for (const metric of METRICS.filter(isWorse))
        archive.set(key(metric), { recipe, size, metric, genes, bytes, cost });
    },
  };
}

/** How much of its bound a request takes. */
export function excess({ metric, cost }: Pick<Worst, "metric" | "cost">): number {
  return cost[metric] / BOUNDS[metric];
}

/** Of each the lower; a server that ended counts in any case. */
export function lesser(one: Cost, other: Cost): Cost {
  if (other.ended) return other;
  return {
    ...one,
    piece: Math.min(one.piece, other.piece),
    cpu: Math.min(one.cpu, other.cpu),
    memory: Math.min(one.memory, other.memory),
    health: Math.min(one.health, other.health),
  };
}

const TRIES = 12;

/** A request that is no longer than the longest size. */
function fit(recipe: Recipe, from: Genes) {
  let genes = from;
  for (let left = TRIES; left > 0; left--) {
    const attack = recipe.make(genes);
    const bytes = attack && sizeOf(attack);
    if (attack && bytes !== undefined && bytes <= (SIZE_CLASSES.at(-1) ?? 0))
      return { genes, attack, bytes };
    genes = shrink(recipe, genes);
  }
  return undefined;
}

/** Bytes of a body, or of what stands in its place. */
function sizeOf({ body, path, headers }: Attack): number {
  return body?.length ?? path.length + headers.flat().join("").length;
}
