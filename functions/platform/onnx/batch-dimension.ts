import type { Manifest } from "../../model/manifest.ts";
import type { Graph } from "./graph.ts";

/** Words in the names that exporters give to a dimension of one sound, text or graph. */
const NO_BATCH = /seq|len|time|frame|step|token|node|edge|chunk|height|width/i;
const BATCH = /batch/i;

/** Whether the names of free first dimensions say that they are no batch. A note tells the user. */
export function batchOf({ view }: Pick<Graph, "view">): Pick<Manifest, "batchDimension"> & {
  notes: string[];
} {
  const names = (view?.graph.input ?? []).flatMap(({ type }) => {
    const [first] = type?.tensorType?.shape?.dim ?? [];
    return first?.dimParam ? [first.dimParam] : [];
  });
  const odd = names.find((name) => NO_BATCH.test(name) && !BATCH.test(name));
  if (odd === undefined || names.some((name) => BATCH.test(name))) return { notes: [] };
  return {
    batchDimension: null,
    notes: [
      `The first dimension of its input is named ${odd}, so the manifest says that it is no batch. If it is one, leave "batchDimension": null out of model.json.`,
    ],
  };
}
