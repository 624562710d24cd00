/** A request as bytes: more than what `fetch` would send. */
export interface Attack {
  /** Which generator made it. */
  kind: string;
  method: string;
  /** Path and query, as they stand in the request line. */
  path: string;
  /** In order; a name may come twice. */
  headers: [name: string, value: string][];
  body?: Buffer;
}

/** Bytes for a connection of their own: a request that lies about itself. */
export interface RawAttack {
  kind: string;
  bytes: Buffer;
  /** Nothing is missing of it: it must be answered, or its connection closed. */
  whole: boolean;
}

const JSON_TYPE: [string, string] = ["Content-Type", "application/json"];

export function postJson(path: string, body: unknown, headers: Attack["headers"] = []): Attack {
  return {
    kind: "valid",
    method: "POST",
    path,
    headers: [JSON_TYPE, ...headers],
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** The request with this header in place of any of the name. */
export function withHeader<T extends Attack>(attack: T, name: string, value: string): T {
  const others = attack.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  return { ...attack, headers: [...others, [name, value]] };
}

/** For a failure's message: enough of the request to see it, and its seed gives the rest. */
export function describe({ kind, method, path, headers, body }: Attack): string {
  const lines = headers.map(([name, value]) => `${name}: ${cut(value, 200)}`);
  return [
    `${kind}: ${method} ${cut(path, 300)}`,
    ...lines,
    `(${body?.length ?? 0} bytes) ${cut(body?.toString("latin1") ?? "", 600)}`,
  ].join("\n");
}

function cut(text: string, length: number): string {
  const shown = JSON.stringify(text.slice(0, length));
  return text.length > length ? `${shown}…` : shown;
}
