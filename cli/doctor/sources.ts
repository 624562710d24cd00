import type { Config } from "../../functions/config.ts";
import type { EntityKeys, FeatureSource } from "../../functions/features/source.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { featureOpener } from "../../functions/platform/features/open.ts";
import type { PlatformName } from "../../functions/variable.ts";
import { within } from "../../functions/within.ts";
import { describeFailure } from "../failure.ts";
import { findingsAt, type Finding } from "./finding.ts";

type Lookup = NonNullable<Manifest["lookup"]>;

/** A version that looks up features. */
export interface LookingUp {
  label: string;
  lookup: Lookup;
}

const PATIENCE_MS = 5000;

/**
 * Whether the sources that released versions name are there. A Node server's are asked for an entity that is made up:
 * other deployments may reach what this machine does not.
 */
export async function checkSources(
  versions: readonly LookingUp[],
  { featureSources, s3 }: Pick<Config, "featureSources" | "s3">,
  { where, platform }: { where: string; platform: PlatformName },
): Promise<Finding[]> {
  const { wrong, unwise, note } = findingsAt(where);
  const findings: Finding[] = [];
  const asked = new Set<string>();
  const reasons = new Set<string>();
  for (const { label, lookup } of versions) {
    const { source: name } = lookup;
    const isNamed = featureSources.some(([own]) => own === name);
    const question = isNamed && platform === "node" ? questionOf(lookup) : name;
    if (asked.has(question)) continue;
    asked.add(question);
    if (!isNamed && featureSources.length === 0 && platform !== "node")
      findings.push(note(`${label} looks up features in ${name}, and FEATURE_SOURCES, which may be a secret, is not here.`)); // oxfmt-ignore
    else if (!isNamed)
      findings.push(
        unwise(
          `${label} looks up features in ${name}, which FEATURE_SOURCES does not name: it answers only inputs that have all features.`,
          `FEATURE_SOURCES=${name}=… says where it is, unless the project's code gives a source of this name.`,
        ),
      );
    else if (platform !== "node")
      findings.push(note(`The source of features ${name} was not asked: the deployment reaches it.`)); // oxfmt-ignore
    else {
      const why = await whyNot(() => featureOpener({ featureSources, s3 })(name), lookup);
      const said = `${name}: ${why}`;
      if (why !== undefined && !reasons.has(said))
        findings.push(
          wrong(
            `The source of features ${name}, which ${label} needs, does not answer: ${why}`,
            "Start it, or correct its place in FEATURE_SOURCES.",
          ),
        );
      reasons.add(said);
    }
  }
  return findings;
}

/** Versions with the same keys and features ask a source the same. */
function questionOf({ source, keys, features }: Lookup): string {
  return JSON.stringify([source, keys, namesOf(features)]);
}

const namesOf = (features: Lookup["features"]) =>
  features.map(({ name, from = name }) => from).toSorted();

/** Why a source does not answer. Undefined where it does, whatever it knows of the entity. */
async function whyNot(
  open: () => FeatureSource | undefined,
  { keys, features }: Lookup,
): Promise<string | undefined> {
  const entity: EntityKeys = Object.fromEntries(
    keys.map(({ name, type }) => [name, type === "integer" ? 0 : "nearcast-doctor"]),
  );
  const names = namesOf(features);
  const ending = new AbortController();
  try {
    const read = async () => open()?.read([entity], names, { signal: ending.signal });
    await within(read(), PATIENCE_MS, () => {
      throw new Error(`there was no answer within ${PATIENCE_MS / 1000} s`);
    });
    return undefined;
  } catch (error) {
    // A folder and a bucket are read as a store is.
    return describeFailure(error).replace("STORE names", "FEATURE_SOURCES names");
  } finally {
    ending.abort();
  }
}
