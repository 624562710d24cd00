import type { LambdaEvent } from "hono/aws-lambda";
import { forwardedAddress } from "../limits/address.ts";

/** The fields of all kinds of events. A field is absent or null in kinds that do not have it. */
interface AnyEvent {
  version?: string;
  rawPath?: string;
  path?: string;
  routeKey?: string;
  resource?: string;
  pathParameters?: Record<string, string | undefined> | null;
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  requestContext?: {
    elb?: object;
    http?: { sourceIp?: string };
    identity?: { sourceIp?: string };
    stage?: string;
    path?: string;
    domainName?: string;
  };
}

/** An event whose path begins at this service's root, and `base`: the part of the URL's path before it. */
export interface Placed<E> {
  event: E;
  base: string;
}

/**
 * Takes the gateway's prefix out of the path: the name of a stage, or the path that a custom domain maps to this API.
 * `base` is that prefix in the client's URL.
 */
export function placeAtRoot<E extends LambdaEvent>(given: E): Placed<E> {
  const event: AnyEvent = given as object;
  const name = event.rawPath === undefined ? "path" : "rawPath";
  const path = event[name] ?? "/";
  const own = pathBelowApi(event, path);
  // A REST API leaves the stage out of the event's path; the client's URL has it.
  const asked = event.requestContext?.path ?? "";
  const full = own === "/" ? asked || path : asked.endsWith(own) ? asked : path;
  const base = own === "/" ? full.replace(/\/$/, "") : full.slice(0, -own.length);
  return { event: { ...event, [name]: own } as unknown as E, base };
}

/**
 * The client's address, behind this many proxies. Load balancers and API Gateway append it to `X-Forwarded-For`. Load
 * balancers give it nowhere else.
 */
export function callerAddress(given: LambdaEvent, proxies: number): string {
  const { requestContext, ...event } = given as object as AnyEvent;
  const entries = forwardedFor(event);
  const said = requestContext?.http?.sourceIp ?? requestContext?.identity?.sourceIp;
  const peer = said ?? (requestContext?.elb && entries.at(-1)) ?? "";
  const before = entries.at(-1) === peer ? entries.slice(0, -1) : entries;
  return forwardedAddress(peer, before.join(",") || undefined, proxies);
}

function pathBelowApi({ version, routeKey, resource, ...event }: AnyEvent, path: string): string {
  const { stage = "$default", domainName = "" } = event.requestContext ?? {};
  const template = resource ?? routeKey?.split(" ")[1];
  const routed = template?.startsWith("/") && fill(template, event.pathParameters ?? {});
  if (routed && (routed === "/" || path.endsWith(routed))) return routed;
  // The path of an HTTP API at its own address begins with the stage, unless that is the default one.
  const isHttpApi = version !== undefined && /\.execute-api\./.test(domainName);
  if (!isHttpApi || stage === "$default") return path;
  if (path === `/${stage}`) return "/";
  return path.startsWith(`/${stage}/`) ? path.slice(stage.length + 1) : path;
}

/** `/{proxy+}` with the gateway's value of `proxy`; undefined where the event has none. */
function fill(template: string, values: Record<string, string | undefined>): string | undefined {
  const names = [...template.matchAll(/\{([^}+]+)\+?\}/g)].map(([, name = ""]) => name);
  if (names.some((name) => values[name] === undefined)) return undefined;
  return template.replace(/\{([^}+]+)\+?\}/g, (_, name: string) => values[name] ?? "");
}

function forwardedFor({ headers, multiValueHeaders }: AnyEvent): string[] {
  const lists = [
    ...Object.entries(multiValueHeaders ?? {}),
    ...(multiValueHeaders ? [] : Object.entries(headers ?? {})),
  ];
  return lists
    .filter(([name]) => name.toLowerCase() === "x-forwarded-for")
    .flatMap(([, values]) => [values ?? []].flat())
    .flatMap((list) => list.split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
