import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { AUDIENCE, ISSUER } from "../auth/audience.ts";
import { claims, signingKey, startIssuer, token, type Issuer, type SigningKey } from "../auth/issuer.ts"; // oxfmt-ignore
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { allRoutes } from "../auth/routes.ts";
import { JOB_ROUTES } from "./routes.ts";
import { startJobs, useModels } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const OWNERS = ["a key", "a token", "a token whose subject has two lines"];

const models = useModels();
let signer: SigningKey;
let issuer: Issuer;
beforeAll(async () => {
  signer = await signingKey("ec");
  issuer = await startIssuer(signer);
});
afterAll(() => issuer.close());

const subject = async (sub: string, scope = "predict read") =>
  bearer(await token(signer, claims({ sub, scope })));

/** Callers of each kind. A key and a subject have the same name. */
async function callers(): Promise<Record<string, Record<string, string>>> {
  return {
    "a key": bearer(apiKey("ann").key),
    "another key": bearer(apiKey("ben").key),
    "a token": await subject("ann"),
    "another token": await subject("ben"),
    "a token whose subject has two lines": await subject("ben\nsecret"),
  };
}

describe.runIf(hasSqlite)("of callers who may use the same models", () => {
  test.for(OWNERS)("nobody else reads, waits for or ends the job of %s", async (owner) => {
    const started = await startJobs({
      STORE: models.path,
      API_KEYS: keyList(apiKey("ann"), apiKey("ben")),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: issuer.jwksUrl,
    });
    onTestFinished(() => started.end());
    const { ask, put, work, ended } = started;
    const all = await callers();
    const own = all[owner] ?? {};
    const others = Object.entries(all).filter(([name]) => name !== owner);

    async function refusedToOthers() {
      // The second one would be the same text with the end of another's name.
      for (const id of ["secret", "secret%0Asecret", "%0Asecret"])
        for (const [method, path] of JOB_ROUTES) {
          const whole = `/v1/jobs/${id}${path}`;
          for (const [name, headers] of others)
            expect((await ask(whole, { method, headers })).status, `${name}: ${whole}`).toBe(404);
          for (const headers of [{}, bearer("nc_nobody-0123456789abcdefghijklmnop")])
            expect((await ask(whole, { method, headers })).status).toBe(401);
        }
    }

    const inputs = [5.1, 3.5, 1.4, 0.2];
    expect((await put("secret", { model: "iris", inputs }, own)).status).toBe(202);
    await refusedToOthers();
    expect(await (await ask("/v1/jobs/secret", { headers: own })).json()).toMatchObject({
      status: "queued",
    });
    work();
    expect(await ended("/v1/jobs/secret", own)).toMatchObject({ status: "succeeded" });
    await refusedToOthers();

    // The same id is a job of each caller's own.
    const body = { model: "iris", inputs: [6.3, 3.3, 6, 2.5] };
    for (const [, headers] of others) {
      expect((await put("secret", body, headers)).status).toBe(202);
      await ended("/v1/jobs/secret", headers);
    }
    const labelFor = async (headers: Record<string, string>) => {
      const result = await ask("/v1/jobs/secret/result", { headers });
      return ((await result.json()) as { outputs: { label: string } }).outputs.label;
    };
    expect(await labelFor(own)).toBe("setosa");
    for (const [, headers] of others) {
      expect(await labelFor(headers)).toBe("virginica");
      expect((await ask("/v1/jobs/secret", { method: "DELETE", headers })).status).toBe(200);
    }
    expect(await labelFor(own)).toBe("setosa");
    expect((await put("secret", body, {})).status).toBe(401);
  });

  test("a token without the scope predict has nothing of what its own subject made", async () => {
    const started = await startJobs({
      STORE: models.path,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: issuer.jwksUrl,
    });
    onTestFinished(() => started.end());
    const { ask, put } = started;
    const full = await subject("ann");
    const inputs = [5.1, 3.5, 1.4, 0.2];
    expect((await put("own", { model: "iris", inputs }, full)).status).toBe(202);
    const less = await subject("ann", "read metrics admin override");
    const routes = allRoutes("iris").filter(({ path }) =>
      /^\/(v1\/(jobs|batches|files)|batch-result)\b/.test(path),
    );
    expect(routes.length).toBeGreaterThan(18);
    for (const { method, path } of routes) {
      const answer = await ask(path.replace(/:(task_)?id/, "own"), { method, headers: less });
      expect(answer.status, `${method} ${path}`).toBe(403);
    }
    expect((await ask("/v1/jobs/own", { headers: full })).status).toBe(200);
  });

  test("a job is kept with the header fields that say what is asked, and none of credentials", async () => {
    const key = apiKey("ann");
    const started = await startJobs({
      STORE: models.path,
      API_KEYS: keyList(key),
    });
    onTestFinished(() => started.end());
    const { later, put, folder } = started;
    const names = "Cookie X-Auth-Token X-Access-Token X-Functions-Key Ocp-Apim-Subscription-Key";
    const others = "ApiKey X-Amz-Security-Token X-CSRF-Token X-Session-Id X-Amzn-Oidc-Data X-Jwt";
    const secrets = `${names} ${others}`
      .split(" ")
      .map((name) => [name, `secret-of-${name}`] as const);
    const headers = { ...Object.fromEntries(secrets), "X-API-Key": key.key, "X-Own": "kept" };
    const inputs = [5.1, 3.5, 1.4, 0.2];
    expect((await put("one", { model: "iris", inputs }, headers)).status).toBe(202);
    expect((await later("/v1/models/iris/predict", { inputs }, headers)).status).toBe(202);
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "latin1")));
    const stored = texts.join("");
    expect(stored).toContain('"x-own":"kept"');
    for (const secret of [key.key, ...secrets.map(([, value]) => value)])
      expect(stored.includes(secret), secret).toBe(false);
  });

  test("without authentication all are one caller, and an id is as secret as it is long", async () => {
    const started = await startJobs({ STORE: models.path });
    onTestFinished(() => started.end());
    const { later, ask } = started;
    const made = await later("/v1/models/iris/predict", { inputs: [5.1, 3.5, 1.4, 0.2] });
    const location = made.headers.get("location") ?? "";
    expect(location).toMatch(/^\/v1\/jobs\/[\da-f-]{36}$/);
    expect((await ask(location)).status).toBe(200);
    expect((await ask("/v1/jobs")).status).toBe(404);
  });
});
