import {
  MaxHeaderSizeExceededError,
  MultipartParseError,
  parseMultipart,
  type MultipartPart,
} from "@remix-run/multipart-parser";
import { parse } from "content-type";
import { NearcastError } from "../errors.ts";
import { fromBase64 } from "./base64.ts";

/** A field or a file of a form. */
export interface FormPart {
  name: string;
  bytes: Uint8Array;
  /** The charset of its `Content-Type`. */
  charset: string | undefined;
  /** Whether it has a file name, or a `Content-Type` that no text field has. */
  isFile: boolean;
}

/**
 * Reads the parts of a `multipart/form-data` body (RFC 7578), in order and one at a time, in the same way on every
 * platform. Names may be quoted or not. Decodes `Content-Transfer-Encoding: base64`, which the RFC no longer allows.
 * Throws `malformed_request` that names the wrong part.
 *
 * @example for (const { name, bytes } of readForm(body, parameters.boundary)) …
 */
export function* readForm(body: Uint8Array, boundary = ""): Generator<FormPart, void, undefined> {
  // Accepts all boundaries that clients write. RFC 2046 allows at most 70 characters, and fewer kinds.
  if (!/^[ -~]{1,200}$/.test(boundary))
    throw malformed(
      boundary === ""
        ? "the Content-Type has no boundary"
        : "the boundary in the Content-Type is not 1 to 200 characters of ASCII",
    );
  const { byteLength } = body;
  // The body is complete and within its limit, so nothing in it can be larger.
  const limits = {
    maxHeaderSize: MAX_HEADERS,
    maxFileSize: byteLength,
    maxTotalSize: byteLength,
    maxParts: Infinity,
  };
  let count = 0;
  try {
    for (const part of parseMultipart(withoutPreamble(body, boundary), { boundary, ...limits }))
      yield partOf(part, headersOf(part, body, boundary), `part ${++count}`);
  } catch (cause) {
    if (!(cause instanceof MultipartParseError)) throw cause;
    if (cause instanceof MaxHeaderSizeExceededError)
      throw malformed(`the headers of part ${count + 1} have more than ${MAX_HEADERS} bytes`);
    throw malformed(`it does not go from --${boundary} to --${boundary}-- with CRLF at line ends`);
  }
}

/**
 * Cuts off the text before the first boundary, which is not a part (RFC 2046, section 5.1.1). Some clients begin with
 * CRLF.
 */
function withoutPreamble(body: Uint8Array, boundary: string): Uint8Array {
  const start = new TextDecoder("latin1").decode(body.subarray(0, LONGEST_PREAMBLE));
  if (start.startsWith(`--${boundary}`)) return body;
  const at = start.indexOf(`\r\n--${boundary}`);
  return at === -1 ? body : body.subarray(at + 2);
}

const LONGEST_PREAMBLE = 1000;

/** The most bytes of one part's headers. */
const MAX_HEADERS = 8192;

type PartHeaders = Readonly<Record<string, string | undefined>>;

function partOf(part: MultipartPart, headers: PartHeaders, which: string): FormPart {
  const { type, parameters } = parse(headers["content-disposition"] ?? "");
  const { name } = parameters;
  if (type !== "form-data" || name === undefined)
    throw malformed(`${which} has no Content-Disposition: form-data with a name`);
  const content = headers["content-type"] && parse(headers["content-type"]);
  const isNamed = parameters["filename"] !== undefined || parameters["filename*"] !== undefined;
  return {
    name,
    bytes: decoded(part.bytes, headers["content-transfer-encoding"], which),
    charset: content ? content.parameters["charset"] : undefined,
    isFile: isNamed || Boolean(content && !content.type.startsWith("text/")),
  };
}

/** The part's headers. File names may have bytes that are not UTF-8, as curl on Windows sends them. */
function headersOf(part: MultipartPart, body: Uint8Array, boundary: string): PartHeaders {
  try {
    return part.headers;
  } catch {
    const start = part.content[0]?.byteOffset ?? body.byteOffset;
    const before = body.subarray(0, start - body.byteOffset);
    const text = new TextDecoder("latin1").decode(before.subarray(-2 * MAX_HEADERS));
    const own = text.slice(text.lastIndexOf(`--${boundary}\r\n`));
    const lines = own.split("\r\n").map((line) => /^([^:]+):(.*)/.exec(line));
    return Object.fromEntries(
      lines.flatMap((line) => (line ? [[line[1]?.trim().toLowerCase(), line[2]?.trim()]] : [])),
    );
  }
}

function decoded(bytes: Uint8Array, encoding: string | undefined, which: string): Uint8Array {
  if (encoding === undefined || /^(7bit|8bit|binary)$/i.test(encoding)) return bytes;
  if (!/^base64$/i.test(encoding))
    throw malformed(
      `${which} has the Content-Transfer-Encoding ${encoding.slice(0, 40)}: send it without one`,
    );
  try {
    return fromBase64(new TextDecoder("latin1").decode(bytes));
  } catch {
    throw malformed(`${which} says that it is base64, and is not`);
  }
}

function malformed(reason: string): NearcastError {
  return new NearcastError(
    "malformed_request",
    `The body is not a valid multipart form: ${reason}.`,
  );
}
