import type { Context } from "hono";
import { invalidInput, NearcastError } from "../errors.ts";
import type { AppEnv } from "./exchange.ts";
import type { Limits } from "../model/limits.ts";
import { readBody, textOf, type BodyOptions } from "./body.ts";
import { isJson, mediaTypeOf } from "./media-type.ts";
import { parseJsonText } from "../wire/json.ts";
import { wavOfSamples } from "../wire/raw-samples.ts";
import { decodeText } from "../wire/text.ts";
import { readPredictJson, type PredictBody } from "./predict-json.ts";

const ACCEPTED =
  "application/json, multipart/form-data, image/jpeg, image/png, image/webp, audio/wav, audio/l16;rate=16000, audio/pcm;rate=16000 or application/octet-stream";
/** Sound of other formats is refused by its task, which names them. */
const RAW = /^(image\/(jpeg|png|webp)|audio\/.*|application\/octet-stream)$/;

/**
 * Reads `{inputs, parameters}` from JSON, from a multipart form or from a raw file. In a form, the files are the
 * inputs and the field `parameters` is JSON. With a raw file, the query has the parameters. Rejects as {@link
 * readBody} does, and with `malformed_json`, `malformed_request`, `unsupported_media_type` or `invalid_input`.
 */
export async function readPredictBody(
  c: Context<AppEnv>,
  options: BodyOptions & Pick<Limits, "batch">,
): Promise<PredictBody> {
  const { type: mediaType, parameters } = mediaTypeOf(c.req);
  if (isJson(mediaType)) return readPredictJson(textOf(await readBody(c, options)));
  if (mediaType === "multipart/form-data")
    return fromForm(await readBody(c, options), parameters["boundary"], options.batch);
  if (RAW.test(mediaType))
    return { inputs: await readFile(c, options), parameters: fromQuery(c.req.query()) };
  throw new NearcastError(
    "unsupported_media_type",
    `The Content-Type must be ${ACCEPTED}${mediaType ? `, not ${mediaType}` : ""}.`,
  );
}

/** The bytes of a file. Raw samples become a WAV file. Rejects as {@link readBody} does, and for samples of no rate. */
export async function readFile(c: Context<AppEnv>, options: BodyOptions): Promise<Uint8Array> {
  const { type, parameters } = mediaTypeOf(c.req);
  const bytes = await readBody(c, options);
  return wavOfSamples(type, parameters, bytes) ?? bytes;
}

async function fromForm(
  body: Uint8Array,
  boundary: string | undefined,
  batch: number,
): Promise<PredictBody> {
  const { readForm } = await import("../wire/multipart.ts");
  const files: Uint8Array[] = [];
  let parameters: unknown;
  for (const { name, bytes, charset, isFile } of readForm(body, boundary)) {
    if (name === "parameters") {
      if (parameters !== undefined)
        throw invalidInput([{ path: name, message: "is in the form twice" }]);
      const what = "The field parameters";
      parameters = parseJsonText(decodeText(bytes, { what, charset }), what);
    } else if (isFile) files.push(bytes);
    else
      throw invalidInput([
        {
          path: name,
          message:
            "is neither a file nor the field parameters: a file has a filename, or a Content-Type such as image/png",
        },
      ]);
    if (files.length > batch)
      throw invalidInput([{ path: "inputs", message: `must have at most ${batch} files` }]);
  }
  if (files.length === 0) throw invalidInput([{ path: "inputs", message: "needs a file" }]);
  return { inputs: files.length === 1 ? files[0] : files, parameters };
}

/** Reads parameters from the query. Its values are strings. A value that is valid JSON (`top_k=3`) counts as JSON. */
function fromQuery(query: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      try {
        return [name, JSON.parse(value) as unknown];
      } catch {
        return [name, value];
      }
    }),
  );
}
