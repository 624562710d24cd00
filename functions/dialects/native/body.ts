import type { Context } from "hono";
import { invalidInput, NearcastError } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { readBody, readText, type BodyOptions } from "../../http/body.ts";
import { parseJsonText } from "../../wire/json.ts";

export interface PredictBody {
  inputs: unknown;
  parameters: unknown;
}

const ACCEPTED =
  "application/json, multipart/form-data, image/png, image/jpeg or application/octet-stream";
const RAW = /^(image\/(png|jpeg)|application\/octet-stream)$/;

/**
 * Reads `{inputs, parameters}` from JSON, from a multipart form or from a raw image. In a form, the files are
 * the inputs, and the field `parameters` is JSON. With a raw image, the query has the parameters. Rejects as
 * {@link readBody} does, and with `malformed_json`, `malformed_request`, `unsupported_media_type` or
 * `invalid_input`.
 */
export async function readPredictBody(
  c: Context<AppEnv>,
  options: BodyOptions,
): Promise<PredictBody> {
  const contentType = c.req.header("content-type") ?? "";
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (mediaType === "application/json" || mediaType.endsWith("+json"))
    return fromJson(await readText(c, options));
  if (mediaType === "multipart/form-data")
    return fromForm(
      new Response(await readBody(c, options), { headers: { "Content-Type": contentType } }),
    );
  if (RAW.test(mediaType))
    return { inputs: await readBody(c, options), parameters: fromQuery(c.req.query()) };
  throw new NearcastError(
    "unsupported_media_type",
    `The Content-Type must be ${ACCEPTED}${mediaType ? `, not ${mediaType}` : ""}.`,
  );
}

function fromJson(text: string): PredictBody {
  const body = parseJsonText(text, "The body");
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidInput([{ path: "body", message: "must be an object with inputs" }]);
  const { inputs, parameters, ...others } = body as Record<string, unknown>;
  const unknown = Object.keys(others);
  if (unknown.length > 0)
    throw invalidInput(
      unknown.map((path) => ({ path, message: "is not a member of the request" })),
    );
  if (inputs === undefined) throw invalidInput([{ path: "inputs", message: "is missing" }]);
  return { inputs, parameters };
}

async function fromForm(request: Pick<Response, "formData">): Promise<PredictBody> {
  let form: FormData;
  try {
    form = await request.formData();
  } catch (cause) {
    throw new NearcastError("malformed_request", "The body is not a valid multipart form.", {
      cause,
    });
  }
  const files: Uint8Array[] = [];
  let parameters: unknown;
  for (const [name, value] of form) {
    if (typeof value !== "string") files.push(new Uint8Array(await value.arrayBuffer()));
    else if (name === "parameters") parameters = parseJsonText(value, "The field parameters");
    else
      throw invalidInput([{ path: name, message: "is neither a file nor the field parameters" }]);
  }
  if (files.length === 0) throw invalidInput([{ path: "inputs", message: "needs a file" }]);
  return { inputs: files.length === 1 ? files[0] : files, parameters };
}

/** Query values are strings. One that reads as JSON (`top_k=3`) is taken as JSON. */
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
