import type { Genes } from "./genes.ts";
import { BOUNDS, excess, type Worst } from "./search.ts";

/** A line for each of the worst, those over a bound first. */
export function report(worst: readonly Worst[], floor: number): string {
  const over = worst.filter((one) => excess(one) > 1 || one.cost.ended);
  const head =
    "| kind | bytes | status | piece, ms | in all, ms | times a plain request | MiB | `/health`, ms | genes |";
  return [
    `A plain request: ${(floor * 1000).toFixed(0)} µs of processor time.`,
    `Over ${BOUNDS.piece} ms in one piece, ${BOUNDS.cpu} ms in all or ${BOUNDS.memory} MiB: ${over.length} of ${worst.length}.`,
    "",
    head,
    head.replaceAll(/[^|]+/g, " --- "),
    ...worst.map((one) => line(one, floor)),
  ].join("\n");
}

function line({ recipe, metric, genes, bytes, cost }: Worst, floor: number): string {
  const bold = (name: Worst["metric"]): string => {
    const text = cost[name].toFixed(0);
    return name === metric ? `**${text}**` : text;
  };
  return `| ${[
    recipe.name,
    bytes,
    cost.ended ?? `${cost.status} ${cost.code}`.trim(),
    bold("piece"),
    bold("cpu"),
    (cost.cpu / floor).toFixed(0),
    bold("memory"),
    cost.health.toFixed(0),
    genesText(genes),
  ].join(" | ")} |`;
}

function genesText(genes: Genes): string {
  return `\`${JSON.stringify(genes).replaceAll("|", "\\|")}\``;
}
