import { join } from "node:path";
import type { Feature } from "../../functions/model/manifest.ts";
import { draftFromFile, type Draft } from "../add/from-file.ts";
import type { Made, ReadFeature } from "./report.ts";

/** How the manifest is made of what was read. */
export interface Choices {
  /** The folder with the graphs. */
  folder: string;
  /** Whether numbers beyond those of the training data are refused. */
  boundRanges: boolean;
  /** Columns in which the graph answers otherwise for a missing value: it is refused there. */
  withoutMissing: ReadonlySet<string>;
  /** Columns in which the graph answers otherwise for an unknown text. */
  knownOnly: ReadonlySet<string>;
}

/** The graph with the manifest that its model asks for, as `add` makes one of a file. */
export async function draftOf(
  made: Made,
  graph: Made["graphs"][number],
  choices: Choices,
): Promise<Draft> {
  const { features, labels } = made;
  const path = join(choices.folder, graph.file);
  const draft = await draftFromFile(path, {
    features: features?.map(({ name }) => name),
    labels: labels ?? undefined,
    scores: graph.scores ?? undefined,
    task: made.task,
  });
  const read = draft.manifest.features;
  if (!features || !read) return { ...draft, notes: [] };
  const told = read.map(({ missing: shown, ...feature }, index) => {
    const own = features[index] as ReadFeature;
    const isLost = made.losesMissing && own.missing === "NaN" && shown === undefined;
    return withTold(feature, isLost ? { ...own, missing: undefined } : own, choices);
  });
  return { ...draft, notes: [], manifest: { ...draft.manifest, features: told } };
}

function withTold(
  feature: Feature,
  { name, range, known = [], refusesUnknown, missing }: ReadFeature,
  { boundRanges, withoutMissing, knownOnly }: Choices,
): Feature {
  const isClosed = refusesUnknown || knownOnly.has(name);
  return {
    ...feature,
    ...(range &&
      !boundRanges && { description: `In training from ${range.minimum} to ${range.maximum}.` }),
    ...(range && boundRanges && range),
    ...(isClosed && known.length > 0 && { categories: known }),
    ...(missing !== undefined && !withoutMissing.has(name) && { missing }),
  };
}
