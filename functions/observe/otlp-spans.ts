import type { RequestRecord } from "./observer.ts";
import { randomId } from "./trace.ts";

/** A span of OTLP's JSON encoding. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  status?: { code: number; message: string };
}

interface Attribute {
  key: string;
  value: { stringValue: string } | { intValue: string };
}

const INTERNAL = 1;
const SERVER = 2;
const ERROR = 2;

/**
 * The span of a request, and one for each phase of its call. Of phases only the durations are known: they are laid one
 * after the other in the order in which they began. They are absent where the platform's clock stands still.
 */
export function spansOf(record: RequestRecord, endedAt: number): Span[] {
  const { trace, method, route, status, error, milliseconds = 0, call } = record;
  const traceId = trace?.traceId ?? randomId(16);
  const spanId = trace?.spanId ?? randomId(8);
  const begunAt = endedAt - milliseconds;
  const known = call?.version === undefined ? undefined : call;
  const server: Span = {
    traceId,
    spanId,
    ...(trace && { parentSpanId: trace.parentId }),
    name: route === undefined ? method : `${method} ${route}`,
    kind: SERVER,
    startTimeUnixNano: nanoseconds(begunAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: attributesOf({
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": status,
      "error.type": error?.code,
      "nearcast.request_id": record.id,
      "nearcast.model": known?.model,
      "nearcast.version": known?.version,
      "nearcast.assignment": known?.reason,
      "nearcast.rows": known?.rows,
      "nearcast.cache": known?.cache,
    }),
    ...(status >= 500 && error && { status: { code: ERROR, message: error.code } }),
  };
  let at = begunAt;
  const phases = Object.entries(known?.durations ?? {}).map(([name, taken]): Span => {
    const start = at;
    at += taken;
    return {
      traceId,
      spanId: randomId(8),
      parentSpanId: spanId,
      name,
      kind: INTERNAL,
      startTimeUnixNano: nanoseconds(start),
      endTimeUnixNano: nanoseconds(at),
      attributes: [],
    };
  });
  return [server, ...phases];
}

function attributesOf(values: Record<string, string | number | undefined>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]): Attribute[] => {
    if (value === undefined) return [];
    return [
      { key, value: typeof value === "number" ? { intValue: `${value}` } : { stringValue: value } },
    ];
  });
}

/** As a decimal text: a number of JSON could not hold it. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.round((milliseconds - whole) * 1e6);
  return String(BigInt(whole) * 1_000_000n + BigInt(rest));
}
