import { expect, onTestFinished, test, vi } from "vitest";
import { apiKeysSchema } from "../../functions/auth/api-keys.ts";
import { createKeyRing } from "../../functions/auth/key-ring.ts";
import { readConfig } from "../../functions/config.ts";
import { createPlatform } from "../../functions/platform/cloudflare.ts";
import { createLambdaPlatform } from "../../functions/platform/lambda.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { apiKey, keyList } from "./keys.ts";

const defaults = { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: 512 };
const read = (environment: Record<string, string>) =>
  readConfig(environment, defaults, "node").auth;
const web = apiKey("web");
const mode = (environment: Record<string, string>) =>
  createNodePlatform(environment).config.auth.mode;
const JWT = { JWT_ISSUER: "https://issuer.test/", JWT_AUDIENCE: "nearcast" };

test("nobody gets in unless somebody said who", () => {
  expect(read({})).toEqual({ mode: "closed" });
  expect(read({ AUTH: "", API_KEYS: "" })).toEqual({ mode: "closed" });
  expect(read({ AUTH: "none" })).toEqual({ mode: "open" });
  expect(read({ API_KEYS: "[]" })).toMatchObject({ mode: "required", apiKeys: [] });
  expect(read({ API_KEYS: "ssm:/keys" })).toMatchObject({ apiKeys: { secretName: "/keys" } });
  expect(read(JWT)).toMatchObject({
    mode: "required",
    tokens: { jwksUrl: "https://issuer.test/.well-known/jwks.json" },
  });
  expect(createLambdaPlatform({ STORE: "s3://b" }).config.auth.mode).toBe("closed");
});

test("only a Node server on loopback is open by itself, and not with keys", () => {
  for (const HOST of ["", "127.0.0.1", "127.1.2.3", "localhost", "::1"])
    expect(mode({ HOST }), HOST).toBe("open");
  for (const HOST of ["0.0.0.0", "::", "10.0.0.1", "models.test", "127.0.0.1.models.test"])
    expect(mode({ HOST }), HOST).toBe("closed");
  // Other callers come through the proxy.
  expect(mode({ TRUST_PROXY: "1" })).toBe("closed");
  expect(mode({ TRUST_PROXY: "0" })).toBe("open");
  expect(mode({ API_KEYS: keyList(web) })).toBe("required");
  expect(mode(JWT)).toBe("required");
});

test("what does not go together or cannot be used is refused with its variable", () => {
  const refused: [environment: Record<string, string>, message: RegExp][] = [
    [{ AUTH: "off" }, /^ {2}AUTH: must be none/m],
    [{ AUTH: "none", API_KEYS: keyList(web) }, /^ {2}AUTH: is none, and API_KEYS is set/m],
    [{ AUTH: "none", ...JWT }, /^ {2}AUTH: is none, and JWT_ISSUER is set/m],
    [{ JWT_ISSUER: JWT.JWT_ISSUER }, /^ {2}JWT_AUDIENCE: must be set/m],
    [{ JWT_AUDIENCE: "nearcast" }, /^ {2}JWT_AUDIENCE: needs JWT_ISSUER/m],
    [{ JWT_JWKS_URL: "https://issuer.test/keys" }, /^ {2}JWT_JWKS_URL: needs JWT_ISSUER/m],
    [{ ...JWT, JWT_JWKS_URL: "http://issuer.test/keys" }, /^ {2}JWT_JWKS_URL: must be https/m],
    [{ ...JWT, JWT_JWKS_URL: "file:///keys" }, /^ {2}JWT_JWKS_URL: must be https/m],
    [{ API_KEYS: "not JSON" }, /^ {2}API_KEYS: must be a JSON array/m],
    [{ API_KEYS: "{}" }, /^ {2}API_KEYS: /m],
    [{ API_KEYS: '[{"name": "a"}]' }, /^ {2}API_KEYS\.0\.sha256: /m],
    [{ API_KEYS: keyList(apiKey("a", { models: [] })) }, /^ {2}API_KEYS\.0\.models: /m],
    [{ API_KEYS: keyList(apiKey("a", { scopes: [] })) }, /^ {2}API_KEYS\.0\.scopes: /m],
    [{ API_KEYS: keyList(apiKey("a", { rate: "1" })) }, /^ {2}API_KEYS\.0\.rate: /m],
    [{ API_KEYS: keyList(apiKey("a", { expires: "2027" })) }, /^ {2}API_KEYS\.0\.expires: /m],
    [{ API_KEYS: keyList(web, web) }, /^ {2}API_KEYS\.1\.sha256: is there twice/m],
    [
      { API_KEYS: keyList(web, apiKey("web", { scopes: ["admin"] }, "two")) },
      /^ {2}API_KEYS\.1\.name: is used twice/m,
    ],
  ];
  for (const [environment, message] of refused)
    expect(() => read(environment), JSON.stringify(environment)).toThrow(message);
  // A key could be written there by mistake.
  expect(() => read({ API_KEYS: "nc_a-real-key" })).toThrow(/^(?!.*nc_a-real-key)/s);
  const wasm = new WebAssembly.Module(EMPTY_WASM);
  const parts = { waitUntil: () => undefined, wasm, createOrt: noOrt, loadDecoder: noDecoder };
  const env = { API_KEYS: "ssm:/keys" };
  expect(() => createPlatform({ ...parts, env })).toThrow(/wrangler secret put/);
});

test("a key works until its date", () => {
  const expires = "2027-01-31T12:00:00+01:00";
  const soon = apiKey("soon", { expires });
  const find = createKeyRing(apiKeysSchema.parse(keyList(soon)));
  const at = (time: string) => {
    vi.setSystemTime(time);
    return find(soon.entry.sha256)?.name;
  };
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  expect(at("2027-01-31T10:59:59.999Z")).toBe("soon");
  expect(at("2027-01-31T11:00:00.000Z")).toBe(undefined);
});

const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

function noOrt(): never {
  throw new Error("no model is loaded here");
}

function noDecoder(): never {
  throw new Error("no decoder");
}
