import type { LambdaEvent } from "hono/aws-lambda";

/** What Lambda turns into the client's answer. The fields differ with the kind of the event. */
export interface EventResult {
  statusCode: number;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
  body: string;
  isBase64Encoded: boolean;
}

/** A content type whose answers go as text. All others go as base64. */
const TEXT =
  /^text\/(?:plain|html|css|javascript|csv)|^(?!application\/grpc).*(?:\/|\+)(?:json|xml)\s*(?:;|$)/i;

type Fields = Record<string, string>;

interface Whole {
  status: number;
  /** Names in lower case, without cookies. */
  fields: Fields;
  cookies: string[];
  body: string | Uint8Array;
}

/**
 * An answer whose parts go into the event's result as they are. It stands for a `Response`, which would load undici (see
 * {@link EventRequest}). When a handler asks for anything but the status, it becomes a real one.
 */
class EventAnswer {
  readonly #body: string | Uint8Array<ArrayBuffer>;
  readonly #init: { status: number; headers: Fields };
  #response: Response | undefined;

  constructor(body: string | Uint8Array<ArrayBuffer>, init: { status: number; headers: Fields }) {
    this.#body = body;
    this.#init = init;
  }

  get status(): number {
    return this.#init.status;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get statusText(): string {
    return "";
  }

  get headers(): Headers {
    return this.#asResponse().headers;
  }

  get body(): ReadableStream | null {
    return this.#asResponse().body;
  }

  get bodyUsed(): boolean {
    return this.#response?.bodyUsed ?? false;
  }

  clone(): Response {
    return this.#asResponse().clone();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#asResponse().arrayBuffer();
  }

  text(): Promise<string> {
    return this.#asResponse().text();
  }

  json(): Promise<unknown> {
    return this.#asResponse().json();
  }

  /** The parts. A promise once a handler may have changed them. */
  whole(): Whole | Promise<Whole> {
    if (this.#response) return wholeOf(this.#response);
    const fields: Fields = {};
    for (const [name, value] of Object.entries(this.#init.headers))
      fields[name.toLowerCase()] = value;
    const body = typeof this.#body === "string" ? this.#body : textOrBytes(fields, this.#body);
    return { status: this.status, fields, cookies: [], body };
  }

  #asResponse(): Response {
    return (this.#response ??= new Response(this.#body, this.#init));
  }
}

/** Makes the service's answers on Lambda. Streams need a real Response. */
export function createEventAnswer(
  body: string | Uint8Array<ArrayBuffer> | ArrayBuffer | ReadableStream | null,
  init: { status: number; headers: Fields },
): Response {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return new Response(body, init);
  return new EventAnswer(body, init) as unknown as Response;
}

/** The result of an event, from its answer. */
export async function resultOf(event: LambdaEvent, answer: Response): Promise<EventResult> {
  const given: unknown = answer;
  const { status, fields, cookies, body } = await (given instanceof EventAnswer
    ? given.whole()
    : wholeOf(answer));
  return {
    statusCode: status,
    body: typeof body === "string" ? body : Buffer.from(body).toString("base64"),
    isBase64Encoded: typeof body !== "string",
    ...fieldsFor(event, fields, cookies),
  };
}

async function wholeOf(response: Response): Promise<Whole> {
  const fields: Fields = {};
  response.headers.forEach((value, name) => {
    if (name !== "set-cookie") fields[name] = value;
  });
  const body = textOrBytes(fields, new Uint8Array(await response.arrayBuffer()));
  return { status: response.status, fields, cookies: response.headers.getSetCookie(), body };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a content type that is text, if it is UTF-8. Some gateways pass base64 on as it is. */
function textOrBytes(fields: Fields, bytes: Uint8Array): string | Uint8Array {
  const { "content-type": type, "content-encoding": coding = "identity" } = fields;
  if ((type !== undefined && !TEXT.test(type)) || coding.toLowerCase() !== "identity") return bytes;
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes;
  }
}

/** The header fields in the form that answers this kind of event. */
function fieldsFor(
  event: LambdaEvent,
  headers: Fields,
  cookies: string[],
): Pick<EventResult, "headers" | "multiValueHeaders" | "cookies"> {
  const { multiValueHeaders, requestContext } = event as {
    multiValueHeaders?: object | null;
    requestContext?: { http?: object; elb?: object };
  };
  if (multiValueHeaders || (cookies.length > 0 && !requestContext?.http && !requestContext?.elb)) {
    const fields = Object.entries(headers).map(([name, value]) => [name, [value]] as const);
    return {
      multiValueHeaders: {
        ...Object.fromEntries(fields),
        ...(cookies.length > 0 && { "set-cookie": cookies }),
      },
    };
  }
  if (cookies.length === 0) return { headers };
  // A load balancer without fields of many values takes one cookie.
  return requestContext?.http
    ? { headers, cookies }
    : { headers: { ...headers, "set-cookie": cookies[0] ?? "" } };
}
