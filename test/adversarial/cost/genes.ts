import type { Random } from "../random.ts";
import type { Attack } from "../request.ts";

/** A whole number in a range, small ones as likely as large ones, or one of a few names. */
export type Gene = readonly [from: number, to: number] | readonly string[];

export type Genes = Readonly<Record<string, number | string>>;

/** A way to make requests of one kind, and what can be varied. */
export interface Recipe {
  /** The route and the kind of input: what the report has a line for. */
  readonly name: string;
  readonly genes: Readonly<Record<string, Gene>>;
  /** The request, uncompressed. Undefined for genes that make none. */
  make: (genes: Genes) => Attack | undefined;
}

export function randomGenes(random: Random, recipe: Recipe): Genes {
  return mapGenes(recipe, (_, gene) => randomGene(random, gene));
}

/** Some genes changed: a number mostly by a factor, so that the search climbs. */
export function mutate(random: Random, recipe: Recipe, genes: Genes): Genes {
  return mapGenes(recipe, (name, gene) => {
    const value = genes[name] ?? randomGene(random, gene);
    if (!random.chance(0.35)) return value;
    if (!isRange(gene) || typeof value !== "number" || random.chance(0.2))
      return randomGene(random, gene);
    return bounded(gene, value * 2 ** (random.next() * 6 - 3) + random.below(3) - 1);
  });
}

/** The same with its largest number halved, for a request that is too long. */
export function shrink(recipe: Recipe, genes: Genes): Genes {
  const sizes = Object.entries(genes).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const [largest] = sizes.toSorted(([, one], [, other]) => other - one)[0] ?? [];
  return mapGenes(recipe, (name, gene) => {
    const value = genes[name] ?? 0;
    return name === largest && isRange(gene) ? bounded(gene, Number(value) / 2) : value;
  });
}

function mapGenes(recipe: Recipe, value: (name: string, gene: Gene) => number | string): Genes {
  return Object.fromEntries(
    Object.entries(recipe.genes).map(([name, gene]) => [name, value(name, gene)]),
  );
}

function randomGene(random: Random, gene: Gene): number | string {
  if (!isRange(gene)) return random.pick(gene);
  const [from, to] = gene;
  return bounded(gene, from - 1 + (to - from + 2) ** random.next());
}

function bounded([from, to]: readonly [number, number], value: number): number {
  return Math.max(from, Math.min(to, Math.round(value)));
}

function isRange(gene: Gene): gene is readonly [number, number] {
  return typeof gene[0] === "number";
}
