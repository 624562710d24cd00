import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** How a secret looks, also in a comment. */
const SECRETS = [
  // A variable with the name of a secret, whose value is not a reference to the place of the secret.
  /\b(?:\w*(?:API_?KEYS?|SECRET|PASSWORD|PASSWD|PRIVATE_?KEY|ACCESS_?KEY|ACCESS_?KEY_ID|TOKEN|CREDENTIALS?)|REDIS_URL)\w*["']?[ \t]*[:=][ \t]*(?!["']?(?:ssm:\/|\$\{|!\w|["']?\s*(?:#|$)))\S.*/gim,
  // The password of a URL.
  /\b[a-z][a-z\d+.-]*:\/\/[^\s/@"']*:[^\s/@"']+@\S+/gi,
  // A key as `nearcast key` makes it, or its digest.
  /\bnc_[\w-]{20,}/g,
  /\b[\da-f]{64}\b/gi,
  // Private keys: PEM, PKCS #8 of Ed25519 in base64, JSON Web Keys.
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
  /\bMC4CAQAwBQYDK2Vw[\w+/=]{40,}/g,
  /"d"\s*:\s*"[\w-]{40,}"/g,
  // JSON Web Tokens, and identifiers of AWS's keys.
  /\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*/g,
  /\b(?:AKIA|ASIA)[A-Z\d]{16}\b/g,
];

function secretsIn(text: string): string[] {
  return SECRETS.flatMap((pattern) => [...text.matchAll(pattern)].map(([found]) => found));
}

const key = `nc_${randomBytes(32).toString("base64url")}`;
const digest = createHash("sha256").update(key).digest("hex");
const signing = generateKeyPairSync("ed25519").privateKey;
const jwt = ['{"alg":"HS256"}', '{"sub":"me"}', "signature"]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");

test("the parts of the stack have no secret in them", async () => {
  const folder = join(root, "infra/aws");
  for (const file of await readdir(folder))
    expect(secretsIn(await readFile(join(folder, file), "utf8")), file).toEqual([]);
});

describe.each(["wrangler.toml", "serverless.yml"])("%s", (file) => {
  const assign = (name: string, value: string) =>
    file.endsWith(".toml") ? `${name} = "${value}"` : `    ${name}: ${value}`;

  test("has no secret in it", async () => {
    expect(secretsIn(await readFile(join(root, file), "utf8"))).toEqual([]);
  });

  test.each([
    ["the keys", assign("API_KEYS", "[]")],
    ["the keys, in a comment", `# ${assign("API_KEYS", "[{name: web}]")}`],
    ["a key's digest", `# ${digest}`],
    ["a key", `# curl -H 'X-API-Key:${key}'`],
    ["Redis and its password", assign("CACHE", "rediss://default:hunter2@redis.test:6379")],
    ["Redis", assign("REDIS_URL", "redis://redis.test")],
    ["a secret", assign("CLIENT_SECRET", "hunter2")],
    ["a secret of AWS", assign("AWS_SECRET_ACCESS_KEY", "hunter2")],
    ["an identifier of AWS", `# AKIA${"A1".repeat(8)}`],
    ["a token", assign("CLOUDFLARE_API_TOKEN", "hunter2")],
    ["a token of its own look", `# ${jwt}`],
    ["a password", assign("db_password", "hunter2")],
    ["a private key", signing.export({ type: "pkcs8", format: "pem" }).toString()],
    [
      "a private key in one line",
      assign("TRUSTED", signing.export({ type: "pkcs8", format: "der" }).toString("base64")),
    ],
    ["a private JSON Web Key", JSON.stringify(signing.export({ format: "jwk" }))],
  ])("is refused with %s in it", async (_what, line) => {
    const text = await readFile(join(root, file), "utf8");
    expect(secretsIn(`${text}\n${line}\n`)).not.toEqual([]);
    expect(secretsIn(`${line}\n${text}`)).not.toEqual([]);
  });

  test("may say where a secret is kept", () => {
    for (const line of [
      "    API_KEYS: ssm:/nearcast/prod/api-keys",
      "    REDIS_URL: ${ssm:/nearcast/prod/redis}",
      "    REDIS_URL: !Ref RedisUrl",
      '    API_KEYS: ""',
      'TRUSTED_KEYS = "MCowBQYDK2VwAyEA"',
    ])
      expect(secretsIn(line), line).toEqual([]);
  });
});
