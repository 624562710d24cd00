/** The fields that make a request. Each kind of event has some of them. */
interface RequestFields {
  rawPath?: string;
  path?: string;
  httpMethod?: string;
  method?: string;
  rawQueryString?: string;
  queryStringParameters?: Record<string, string | undefined> | null;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
  headers?: Record<string, string | string[] | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  cookies?: string[];
  requestContext?: {
    elb?: object;
    domainName?: string;
    http?: { method?: string };
  };
  body?: string | null;
  isBase64Encoded?: boolean;
}

/**
 * The request of an event. It has what handlers read from a `Request` and is none: with the first `Request`, `Response`
 * or `Headers`, Node loads all of undici, a tenth of a cold start. For the rarer members it makes a real one. Throws a
 * TypeError for an address that is no URL.
 */
export class EventRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: EventHeaders;
  readonly #bytes: Buffer<ArrayBuffer> | undefined;
  #whole: Request | undefined;

  constructor(given: object) {
    const event: RequestFields = given;
    const { body, requestContext = {} } = event;
    this.method = requestContext.http?.method ?? event.httpMethod ?? event.method ?? "GET";
    this.headers = new EventHeaders(event);
    if (body) {
      this.#bytes = Buffer.from(body, event.isBase64Encoded ? "base64" : "utf8");
      this.headers.set("content-length", String(this.#bytes.byteLength));
    }
    const host = requestContext.domainName ?? (this.headers.get("host") || "localhost");
    const query = queryOf(event);
    const path = event.rawPath ?? event.path ?? "/";
    this.url = new URL(`https://${host}${path}${query && `?${query}`}`).href;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (!this.#bytes) return new ArrayBuffer(0);
    const { buffer, byteOffset, byteLength } = this.#bytes;
    // Node keeps short buffers in one long one.
    return buffer.byteLength === byteLength
      ? buffer
      : buffer.slice(byteOffset, byteOffset + byteLength);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes);
  }

  get body(): ReadableStream | null {
    return this.#bytes ? this.#asWhole().body : null;
  }

  get bodyUsed(): boolean {
    return this.#whole?.bodyUsed ?? false;
  }

  get signal(): AbortSignal {
    return this.#asWhole().signal;
  }

  blob(): Promise<Blob> {
    return this.#asWhole().blob();
  }

  formData(): Promise<FormData> {
    return this.#asWhole().formData();
  }

  clone(): Request {
    return this.#asWhole().clone();
  }

  #asWhole(): Request {
    this.#whole ??= new Request(this.url, {
      method: this.method,
      headers: [...this.headers],
      ...(this.#bytes && { body: this.#bytes }),
    });
    return this.#whole;
  }
}

/** Header fields by name in lower case. Fields that came more than once are joined as HTTP joins them. */
class EventHeaders extends Map<string, string> {
  constructor({ headers, multiValueHeaders, cookies }: RequestFields) {
    super();
    // Whatever the field says, the event has the whole body.
    const add = (name: string, value: string) =>
      name === "transfer-encoding" || super.set(name, printable(value.trim()));
    for (const [name, values] of Object.entries(multiValueHeaders ?? {}))
      if (values) add(name.toLowerCase(), joined(name, values));
    for (const [name, value] of Object.entries(headers ?? {}))
      if (value !== undefined && !super.has(name.toLowerCase()))
        add(name.toLowerCase(), joined(name, value));
    if (cookies) add("cookie", cookies.join("; "));
  }

  override get(name: string): string | undefined {
    return super.get(name) ?? super.get(name.toLowerCase());
  }

  override has(name: string): boolean {
    return super.has(name.toLowerCase());
  }
}

/** RFC 9110, section 5.3; RFC 9113, section 8.2.3 for cookies. */
function joined(name: string, values: string | string[]): string {
  if (typeof values === "string") return values;
  return values.join(name.toLowerCase() === "cookie" ? "; " : ", ");
}

/** Header fields have bytes, which events have as Unicode. */
function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7F]*$/.test(value) ? value : encodeURIComponent(value);
}

function queryOf(event: RequestFields): string {
  if (event.rawQueryString !== undefined) return event.rawQueryString;
  // A load balancer hands names and values on as they came. A REST API decodes them.
  const coded = event.requestContext?.elb ? (text: string) => text : encodeURIComponent;
  const parameters = event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {};
  return Object.entries(parameters)
    .flatMap(([name, values]) =>
      [values ?? []].flat().map((value) => `${coded(name)}=${coded(value)}`),
    )
    .join("&");
}
