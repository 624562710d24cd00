import { expect, test } from "vitest";
import { createApp } from "../functions/app.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";

test("an error nobody foresaw shows its request id, and the log has the rest", async () => {
  const logged: Record<string, unknown>[] = [];
  const app = createApp(
    createService({
      ...createNodePlatform({}),
      runtime: () => Promise.reject(new Error("the secret path of the runtime")),
      log: (entry) => logged.push(entry),
    }),
  );
  const answer = await app.request("/v1/models/iris/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Request-Id": "id-1" },
    body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
  });
  const text = await answer.text();
  expect(answer.status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ code: "internal", requestId: "id-1" });
  expect(text).not.toContain("secret");
  expect(logged).toContainEqual(
    expect.objectContaining({ requestId: "id-1", message: "the secret path of the runtime" }),
  );
});

test("every answer has the name of the deployment", async () => {
  const platform = createNodePlatform({ DEPLOYMENT_ID: "v1.2-3", ACCESS_LOG: "false" });
  const app = createApp(createService(platform));
  for (const path of ["/health", "/ready", "/v1/models", "/v1/models/nobody"]) {
    const { headers } = await app.request(path);
    expect(headers.get("x-deployment-id"), path).toBe("v1.2-3");
  }
  const unnamed = await createApp(createService(createNodePlatform({}))).request("/health");
  expect(unnamed.headers.has("x-deployment-id")).toBe(false);
  expect(() => createNodePlatform({ DEPLOYMENT_ID: "a\nb" })).toThrow(
    /DEPLOYMENT_ID: must be up to/,
  );
});

test("requests are matched by Hono's fast router: no pair of routes is beyond it", async () => {
  const app = createApp(createService(createNodePlatform({})));
  await app.request("/health");
  expect(app.router.name).toBe("SmartRouter + RegExpRouter");
});
