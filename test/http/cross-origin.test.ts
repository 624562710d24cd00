import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";

const PAGE = "https://shop.example";

function preflight(asked: string, origin = PAGE) {
  const env = { STORE: "models", ACCESS_LOG: "false", CORS_ORIGINS: PAGE };
  return createApp(createService(createNodePlatform(env))).request("/v1/embeddings", {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": asked,
    },
  });
}

test.each([
  [
    "openai",
    "authorization,content-type,idempotency-key,openai-beta,openai-organization,openai-project,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout",
  ],
  ["OpenTelemetry and Sentry", "baggage, sentry-trace, traceparent, tracestate"],
  ["SageMaker", "x-amzn-sagemaker-inference-id,x-amzn-sagemaker-target-model"],
  ["binary tensors, compressed", "content-encoding,inference-header-content-length"],
])("a page may send what %s adds", async (_client, asked) => {
  const answer = await preflight(asked);
  expect(answer.status).toBe(204);
  const allowed = answer.headers.get("access-control-allow-headers")?.toLowerCase().split(",");
  expect(allowed).toEqual(expect.arrayContaining(asked.split(/, ?/)));
  expect(answer.headers.get("access-control-allow-credentials")).toBe(null);
  expect(answer.headers.get("vary")).toContain("Access-Control-Request-Headers");
});

test("a page may make and remove jobs, and read where they are and their trace", async () => {
  const answer = await preflight("authorization");
  const methods = answer.headers.get("access-control-allow-methods")?.split(",");
  expect(methods).toEqual(expect.arrayContaining(["GET", "POST", "PUT", "DELETE"]));
  const exposed = answer.headers.get("access-control-expose-headers")?.split(",");
  expect(exposed).toEqual(expect.arrayContaining(["Location", "Retry-After", "Traceparent"]));
});

test("a page of another origin may send nothing", async () => {
  const answer = await preflight("x-stainless-lang", "https://other.example");
  expect(answer.headers.get("access-control-allow-origin")).toBe(null);
});
