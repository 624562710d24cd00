export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
}

export class S3Failure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Matches a list of entity tags, or `*` (RFC 9110 section 13.1). S3 also accepts a tag without quotes. */
export function etagMatches(header: string, etag: string): boolean {
  return header.split(",").some((part) => {
    const tag = part.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag || `"${tag}"` === etag;
  });
}

export interface ListedObject {
  key: string;
  size: number;
  etag: string;
  modified: Date;
}

/** The answer to ListObjectsV2. A common prefix counts as one entry of `max-keys`. */
export function listXml(bucket: string, objects: ListedObject[], query: URLSearchParams): Buffer {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const limit = Math.min(Number(query.get("max-keys") ?? 1000), 1000);
  const token = query.get("continuation-token");
  const after =
    token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString();
  const encode = query.get("encoding-type") === "url" ? urlEncode : (text: string) => text;

  const entries = new Map<string, ListedObject | undefined>();
  for (const object of objects.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
  )) {
    if (!object.key.startsWith(prefix)) continue;
    const cut = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (cut === -1) entries.set(object.key, object);
    else entries.set(object.key.slice(0, cut + delimiter.length), undefined);
  }
  const rest = [...entries].filter(
    ([name]) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0,
  );
  const page = rest.slice(0, limit);
  const truncated = limit > 0 && rest.length > limit;
  const last = page.at(-1)?.[0] ?? "";
  return xml("ListBucketResult", {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === "" ? undefined : encode(delimiter),
    MaxKeys: limit,
    KeyCount: page.length,
    IsTruncated: truncated,
    EncodingType: query.get("encoding-type") ?? undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: truncated ? Buffer.from(last).toString("base64url") : undefined,
    Contents: page.flatMap(([, object]) =>
      object === undefined
        ? []
        : {
            Key: encode(object.key),
            LastModified: object.modified.toISOString(),
            ETag: object.etag,
            Size: object.size,
            StorageClass: "STANDARD",
          },
    ),
    CommonPrefixes: page.flatMap(([name, object]) =>
      object === undefined ? { Prefix: encode(name) } : [],
    ),
  });
}

type XmlValue = string | number | boolean | undefined | XmlFields[];
interface XmlFields {
  [name: string]: XmlValue;
}

export function xml(root: string, fields: XmlFields): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${element(root, fields)}`);
}

function element(name: string, fields: XmlFields): string {
  const inner = Object.entries(fields).map(([child, value]) => {
    if (value === undefined) return "";
    if (Array.isArray(value)) return value.map((item) => element(child, item)).join("");
    return `<${child}>${escapeXml(String(value))}</${child}>`;
  });
  return `<${name}>${inner.join("")}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function urlEncode(text: string): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return encoded.replaceAll("%2F", "/").replaceAll("%20", "+");
}
