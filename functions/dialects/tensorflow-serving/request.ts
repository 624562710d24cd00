import * as z from "zod";
import { checkBody, NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { listOfAny } from "../lists.ts";
import { parseJson } from "../../wire/json.ts";

export const SIGNATURE = "serving_default";

export const predictRequest = z.strictObject({
  signature_name: z.literal(["", SIGNATURE]).nullish(),
  instances: listOfAny().nullish(),
  inputs: z.unknown().optional(),
});

/** Reads the rows or the columns of a body. Throws `malformed_json`, `malformed_request` or `invalid_input`. */
export function readRequest(body: Uint8Array, manifest: Manifest) {
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  const parsed = checkBody(predictRequest, parseJson(body, { exact }));
  // Some clients write null for the form that they leave out.
  const instances = parsed.instances ?? undefined;
  const inputs = parsed.inputs ?? undefined;
  if ((instances === undefined) === (inputs === undefined))
    throw new NearcastError(
      "malformed_request",
      "The request needs exactly one of instances (rows) and inputs (columns).",
    );
  return { instances, inputs };
}
