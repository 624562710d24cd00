import { decodeField, make, type MultipartError } from "multipasta";
import { NearcastError } from "../errors.ts";

/** A form with one file, which is read while it arrives. */
export interface FormStream {
  /** The file's bytes. Read them to their end: fields may come behind them. */
  bytes: AsyncIterable<Uint8Array>;
  /** The other fields so far, by their names. All of them when `bytes` has ended. */
  fields: ReadonlyMap<string, string>;
  /** The file's name, once its bytes have begun. */
  filename(): string | undefined;
}

const MOST_PARTS = 20;
const FIELD_BYTES = 8 * 1024;

/**
 * Reads a `multipart/form-data` body with the file `name`. Holds no more of it than came at once. `bytes` rejects with
 * `malformed_request` for a body that is no such form.
 */
export function readFormStream(
  pieces: AsyncIterable<Uint8Array>,
  { contentType, name }: { contentType: string; name: string },
): FormStream {
  const fields = new Map<string, string>();
  let filename: string | undefined;
  let count = 0;
  let isWhole = false;
  let problem: string | undefined;
  const held: Uint8Array[] = [];
  const parser = make({
    headers: { "content-type": contentType },
    maxParts: MOST_PARTS,
    maxFieldSize: FIELD_BYTES,
    isFile: (part) => part.filename !== undefined || part.name === name,
    onField: (part, value) => void fields.set(part.name, decodeField(part, value)),
    onFile(part) {
      count += 1;
      if (part.name !== name || count > 1) problem ??= `it must have one file, named ${name}`;
      ({ filename } = part);
      return (chunk) => void (chunk && held.push(chunk));
    },
    onError: (error) => void (problem ??= problemOf(error)),
    onDone: () => void (isWhole = true),
  });

  async function* bytesOf(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      try {
        parser.write(piece);
      } catch {
        // A file name that is wrongly encoded.
        problem ??= "a part has headers that cannot be read";
      }
      if (problem !== undefined) throw malformed(problem);
      yield* held.splice(0);
    }
    if (!isWhole) throw malformed("it does not end with its boundary");
    if (count === 0) throw malformed(`it has no file named ${name}`);
  }
  return { bytes: bytesOf(), fields, filename: () => filename };
}

function problemOf({ _tag: kind, ...error }: MultipartError): string {
  switch (kind) {
    case "InvalidBoundary":
      return "the Content-Type has no boundary";
    case "ReachedLimit":
      return "limit" in error && error.limit === "MaxParts"
        ? `it has more than ${MOST_PARTS} parts`
        : `a field has more than ${FIELD_BYTES} bytes`;
    case "BadHeaders":
    case "InvalidDisposition":
      return "a part has no Content-Disposition: form-data with a name";
    case "EndNotReached":
      return "it does not end with its boundary";
  }
}

function malformed(reason: string): NearcastError {
  return new NearcastError(
    "malformed_request",
    `The body is not a valid multipart form: ${reason}.`,
  );
}
