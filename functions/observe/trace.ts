/** A request's place in a trace (W3C Trace Context). */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The client's span. */
  readonly parentId: string;
  /** The span of this request. */
  readonly spanId: string;
  /** Whether the client records the trace. */
  readonly isSampled: boolean;
}

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/** The trace of a `traceparent`, with a new span in it. Undefined where the header is absent or not valid. */
export function readTrace(header: string | undefined): Trace | undefined {
  if (header === undefined) return undefined;
  const [, traceId, parentId, flags = "00"] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, parentId, spanId: randomId(8), isSampled };
}

/** The `traceparent` of whoever comes after this request. */
export function writeTrace({ traceId, spanId, isSampled }: Trace): string {
  return `00-${traceId}-${spanId}-0${isSampled ? 1 : 0}`;
}

/** Random hexadecimal digits of so many bytes. */
export function randomId(bytes: number): string {
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes)))
    text += byte.toString(16).padStart(2, "0");
  return text;
}
