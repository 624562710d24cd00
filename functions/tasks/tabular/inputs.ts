import type { LookupKey } from "../../model/feature-lookup.ts";
import type { Limits } from "../../model/limits.ts";
import { rowMembers } from "../../model/row-members.ts";
import { InputIssues, type InputIssue } from "../../errors.ts";
import type { Feature, Manifest } from "../../model/manifest.ts";
import type { Datatype, Tensors } from "../../tensor.ts";
import type { CompiledTask, JsonSchema, Quantity } from "../define.ts";
import { problemWith } from "./feature.ts";
import { layoutOf } from "./layout.ts";
import { isMissing, missingInTensors, notMissing, replacementOf } from "./missing.ts";
import { numberReader } from "./numbers.ts";
import { packed, putValues, roomFor, type SlotData } from "./pack.ts";
import { featureQuantities } from "./quantities.ts";

/**
 * The part that all tabular tasks share: turns features into tensors. One input is an object of named features, or an
 * array of values in the manifest's order. {@link layoutOf} decides which graph input takes which features.
 */
export function tabularInputs(
  manifest: Manifest,
  limits: Limits,
): Pick<CompiledTask, "isBatch" | "byPosition" | "preprocess" | "missing"> & {
  quantities: readonly Quantity[];
} {
  const { features = [] } = manifest;
  const slots = layoutOf(manifest);
  const datatypes = features.map(
    (_, column) => slots.find(({ columns }) => columns.includes(column))?.input.datatype,
  );
  const names = new Set(rowMembers(manifest).map(({ name }) => name));
  const width = features.length;
  const putNumbers = numberReader(features, slots);

  /** The values of a row in the manifest's order. Undefined for a row with mistakes, which are added to `issues`. */
  function readRow(row: unknown, path: string, issues: InputIssues): unknown[] | undefined {
    if (typeof row !== "object" || row === null) {
      issues.push({ path, message: "must be an object of features or an array of their values" });
      return undefined;
    }
    const byPosition = Array.isArray(row);
    if (byPosition && row.length !== width) {
      issues.push({ path, message: `must have ${width} values, has ${row.length}` });
      return undefined;
    }
    let isRight = true;
    const refuse = (issue: InputIssue): void => {
      isRight = false;
      issues.push(issue);
    };
    if (!byPosition)
      for (const key of Object.keys(row))
        if (!names.has(key))
          refuse({ path: `${path}.${key}`, message: "is not a feature of this model" });
    const values = features.map((feature, column) => {
      const value: unknown = byPosition ? row[column] : own(row, feature.name);
      let message: string | undefined;
      if (isMissing(value, feature)) {
        const replacement = replacementOf(feature);
        if (replacement !== undefined) return replacement;
        message = notMissing(feature, value);
      } else message = problemWith(value, feature, datatypes[column] as Datatype, limits);
      if (message !== undefined)
        refuse(
          byPosition
            ? { path: `${path}[${column}]`, message: `${message} (${feature.name})` }
            : { path: `${path}.${feature.name}`, message },
        );
      return value;
    });
    return isRight ? values : undefined;
  }

  return {
    byPosition: true,
    isBatch: (value) =>
      Array.isArray(value) && (value.length === 0 || typeof value[0] === "object"),
    preprocess(rows, { pathOf }) {
      const issues = new InputIssues();
      let room: SlotData[] | undefined;
      // Thousands of rows with mistakes need none.
      const data = () => (room ??= slots.map((slot) => roomFor(slot, rows.length)));
      for (let index = 0; index < rows.length; index++) {
        if (putNumbers(rows[index], index, data)) continue;
        const values = readRow(rows[index], pathOf(index), issues);
        if (values) putValues(values, index, data(), slots);
      }
      issues.check();
      const feeds: Tensors = {};
      for (const [at, slot] of slots.entries())
        feeds[slot.input.name] = packed(
          slot,
          data()[at] as SlotData,
          rows.length,
          (row, column) => `${pathOf(row)}.${features[column]?.name}`,
        );
      return [{ feeds, rows: rows.length }];
    },
    missing: missingInTensors(slots, features),
    quantities: featureQuantities(slots, features),
  };
}

/**
 * One input of a tabular task, for the API's description. What is looked up may be missing, and the keys for it are
 * needed.
 */
export function featuresSchema({ features = [], lookup }: Manifest): JsonSchema {
  const keys = lookup?.keys ?? [];
  const found = new Set(lookup?.features.map(({ name }) => name));
  const needed = features.filter(({ name, missing }) => missing === undefined && !found.has(name));
  const described = features.map((feature) => [
    feature.name,
    featureSchema(feature, found.has(feature.name)),
  ]);
  return {
    type: "object",
    required: [...new Set([...keys, ...needed].map(({ name }) => name))],
    additionalProperties: false,
    properties: Object.fromEntries([
      ...keys.map((key) => [key.name, keySchema(key)]),
      ...described,
    ]),
  };
}

function keySchema({ type, description }: LookupKey): JsonSchema {
  const words = [description, "Says whose features are looked up."].filter(Boolean).join(" ");
  return { type, ...(type === "string" && { minLength: 1 }), description: words };
}

function featureSchema(feature: Feature, isFound: boolean) {
  const { type, minimum, maximum, unit, description, categories, missing } = feature;
  const mayMiss = missing !== undefined || isFound;
  const words = [
    description,
    unit && `Unit: ${unit}.`,
    mayMiss && (isFound ? "Looked up where null or absent." : "May be missing: null or absent."),
  ]
    .filter(Boolean)
    .join(" ");
  return {
    type: mayMiss ? [type, "null"] : type,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(categories && { enum: mayMiss ? [...categories, null] : categories }),
    ...(words && { description: words }),
    ...(unit && { "x-unit": unit }),
  };
}

/** Three rows of made-up values: small whole numbers, true and false, categories where they are known. */
export function featureExamples(manifest: Manifest): unknown[] {
  return [0, 1, 2].map((row) =>
    Object.fromEntries(
      rowMembers(manifest).map((feature, column) => [
        feature.name,
        madeUp(feature, row * (column + 2)),
      ]),
    ),
  );
}

function madeUp({ type, categories }: Feature, seed: number): unknown {
  if (type === "boolean") return seed % 2 === 0;
  if (type !== "string") return seed % 5;
  return categories ? categories[seed % categories.length] : `text ${seed % 5}`;
}

function own(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;
}
