import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { ALIAS_PLATFORMS, aliasSuite } from "./aliases.ts";
import { post } from "./platforms.ts";

aliasSuite(ALIAS_PLATFORMS.slice(0, 1));

function appWith(env: Record<string, string>) {
  return createApp(
    createService(createNodePlatform({ STORE: "models", ACCESS_LOG: "false", ...env })),
  );
}

test.each([
  ["/predict:iris", /\/predict is taken, by \/predict/],
  ["/v1/embeddings:search", /taken, by \/v1\/embeddings/],
  ["/models/iris:iris", /taken, by \/models\/:model/],
  ["/health:iris", /taken, by \/health/],
  ["/a:iris,/a:search", /\/a is taken, by \/a/],
])("ALIASES=%s does not start", (ALIASES, message) => {
  expect(() => appWith({ ALIASES })).toThrow(message);
});

test.each(["sentiment", "/sentiment", "/a b:iris", "/:model:iris", "/a:"])(
  "ALIASES=%s is no path with a model",
  (ALIASES) => {
    expect(() => appWith({ ALIASES })).toThrow(/ALIASES\.0: must be/);
  },
);

test("an alias asks for the key that its model needs", async () => {
  const scopes = ["predict" as const];
  const [right, other] = [
    apiKey("right", { scopes, models: ["sentiment"] }),
    apiKey("other", { scopes, models: ["iris"] }),
  ];
  const app = appWith({ ALIASES: "/sentiment:sentiment", API_KEYS: keyList(right, other) });
  const served = { fetch: async (path: string, init?: RequestInit) => app.request(path, init) };
  const ask = async (headers = {}) =>
    (await post(served, "/sentiment", { text: "good" }, headers)).status;
  expect(await ask()).toBe(401);
  expect(await ask(bearer(other.key))).toBe(403);
  expect(await ask(bearer(right.key))).toBe(200);
});
