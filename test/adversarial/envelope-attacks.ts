import type { Random } from "./random.ts";
import type { Attack } from "./request.ts";
import { validBinary, validCsv, validJson } from "./valid-requests.ts";

const ODD = [
  "",
  " ",
  ",",
  ";",
  "*",
  "x".repeat(4000),
  "\u00e9\u00ff",
  "\t",
  '"',
  "%00",
  "null",
  "__proto__",
  "0",
  "-1",
  "9".repeat(100),
];

/** Headers by name, with values that something may stumble on. */
const HEADERS: Record<string, readonly string[]> = {
  "Content-Type": [
    "text/plain",
    "application/json; charset=utf-16",
    "application/json;",
    "APPLICATION/JSON",
    "application/xml",

    "application/problem+json",
    "+json",
    "/",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "image/gif",
    "image/png",
    "text/csv",
    "application/json, text/csv",
    "application/octet-stream",
  ],
  "X-Request-Timeout-Ms": [
    "1",
    "1",
    "2",
    "9999999999",
    "0",
    "-1",
    "1e3",
    "1.5",
    "NaN",
    "99999999999999999999",
    "1, 1",
  ],
  "X-Request-Id": ["a".repeat(255), "a".repeat(256), "a b", "é", "<x>", "${x}", "\\u0000"],
  Traceparent: [
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    `00-${"0".repeat(32)}-${"0".repeat(16)}-00`,
    "ff-x",
    "00-4bf92f3577b34da6a3ce929d0e0e4736",
  ],
  "Accept-Encoding": [
    "gzip",
    "deflate",
    "gzip, deflate, br",
    "identity;q=0",
    "*;q=0",
    "br",
    "gzip;q=0",
    "zstd",
  ],
  "Cache-Control": [
    "no-store",
    "no-cache, no-store",
    "max-age=0",
    "only-if-cached",
    "max-age=x",
    "no-store=1",
  ],
  "Content-Encoding": ["identity", "gzip", "br", "compress", "gzip, identity"],
  "Inference-Header-Content-Length": ["0", "1", "-1", "99999999", "1e3"],
  "X-Amzn-SageMaker-Target-Model": ["iris", "none", "../iris", "IRIS", "iris/1", "iris ", "digits"],
  Origin: ["null", "https://example.com", "file://", "https://example.com, https://example.org"],
  Accept: ["text/html", "application/xml", "*/*;q=0", "application/problem+json"],
  Authorization: ["Bearer x", "Basic x", "Bearer", "Bearer a.b.c", "Digest"],
  "X-API-Key": ["x", "k".repeat(2000)],
  Range: ["bytes=0-1", "bytes=5-1"],
  "If-None-Match": ["*", '"a"'],
  Expect: ["100-continue"],
  Cookie: ["a=b", "=", `a=${"b".repeat(3000)}`],
  "X-Forwarded-For": ["127.0.0.1", "::1", "1.1.1.1, 2.2.2.2", "unknown"],
  "X-HTTP-Method-Override": ["DELETE"],
};

/** A good request in an envelope that is not. */
export function headerAttack(random: Random): Attack {
  const valid = random.pick([...validJson, ...validBinary, validCsv]);
  const attack: Attack = { ...valid, kind: "header", headers: [...valid.headers] };
  for (let changes = random.pick([1, 1, 2, 5]); changes > 0; changes--) {
    const name = random.pick(Object.keys(HEADERS));
    const value = random.chance(0.3) ? random.pick(ODD) : random.pick(HEADERS[name] ?? ODD);
    // A name twice, a header less, or another value.
    if (!random.chance(0.15))
      attack.headers = attack.headers.filter(
        ([other]) => other.toLowerCase() !== name.toLowerCase(),
      );
    if (!random.chance(0.1)) attack.headers.push([name, value]);
  }
  if (random.chance(0.05))
    attack.headers.push(
      ...Array.from({ length: 100 }, (_, index): [string, string] => [`X-${index}`, "x"]),
    );
  return attack;
}

const PATHS = [
  "/",
  "/health",
  "/ready",
  "/ping",
  "/version",
  "/openapi.json",
  "/docs",
  "/docs/",
  "/docs/start.js",
  "/v1/models",

  "/v1/models/iris",
  "/v1/models/iris/versions/1",
  "/v1/models/iris/metadata",
  "/v1/models/iris/labels/stable",

  "/v1/models/iris/predict",
  "/v1/models/iris/versions/1/predict",
  "/v1/models/iris:predict",
  "/v1/embeddings",
  "/v1/rerank",
  "/v2/rerank",
  "/v2/embed",
  "/models/iris",
  "/models/search/pipeline/feature-extraction",
  "/rerank",
  "/embed",
  "/embed_sparse",
  "/tokenize",
  "/decode",
  "/predict",
  "/batch_predict",
  "/batch-predict",
  "/similarity",
  "/info",

  "/v2",
  "/v2/health/ready",
  "/v2/models/iris",
  "/v2/models/iris/versions/1/config",
  "/v2/models/stats",
  "/v2/models/iris/infer",

  "/v2/repository/index",
  "/v2/repository/models/iris/unload",
  "/v2/repository/models/none/load",
  "/invocations",
  "/metrics",
];
const SEGMENTS = [
  "..",
  ".",
  "%2e%2e",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "..%5c..%5c",
  "%00",
  "%",
  "%zz",
  "%ff",
  "%c0%ae%c0%ae",
  "%F0%9F%98%80",

  "__proto__",
  "constructor",
  "toString",
  "release.json",
  "model.json",
  "1%2Fmodel.json",
  "iris%2F1",
  "iris\u00e9",
  "IRIS",
  "iris.",

  "",
  "*",
  ":model",
  "{model}",
  "a".repeat(64),
  "a".repeat(65),
  "b".repeat(3000),
  "-1",
  "01",
  "1e0",
  " ",
  "%20",
  "~",
  ";x=1",
  ":predict",
  "x:predict:predict",
];
const METHODS = [
  "GET",
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "PROPFIND",
  "QUERY",
  "LOCK",
];

/** A place that is not there, or one that is, asked in another way. */
export function pathAttack(random: Random): Attack {
  const segments = random.pick(PATHS).split("/");
  const at = 1 + random.below(segments.length);
  random.pick([
    () => segments.splice(at, 1, random.pick(SEGMENTS)),
    () => segments.splice(at, 0, random.pick(SEGMENTS)),
    () => segments.splice(at, 1),
    () => undefined,
  ])();
  const query = random.pick([
    "",
    "",
    "",
    "?",
    "?a",
    "?a=%ff",
    "?version=1",
    `?${"a=1&".repeat(500)}`,
    "??",
    "?__proto__[x]=1",
  ]);
  const method = random.pick(METHODS);
  const path = `/${segments.slice(1).join("/")}${query}`.replaceAll(" ", "%20");
  if (method !== "POST") return { kind: "path", method, path, headers: [] };
  const { headers, body } = random.pick(validJson);
  return { kind: "path", method, path, headers, ...(body && { body }) };
}
