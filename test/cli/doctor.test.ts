import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { releaseVersion } from "../../cli/releases.ts";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { createKey, signPackage } from "../../cli/sign.ts";
import { openPackage } from "../../cli/package-folder.ts";
import type { Finding } from "../../cli/doctor/finding.ts";
import { checkStore } from "../../cli/doctor/models.ts";
import {
  checkAddresses,
  checkDebugger,
  checkKeys,
  checkNode,
  checkPlaceholders,
  checkWhoMayAsk,
  readSettings,
} from "../../cli/doctor/settings.ts";
import { checkStack } from "../../cli/doctor/stack.ts";
import { checkClock, compare } from "../../cli/doctor/url.ts";
import { checkWorker } from "../../cli/doctor/worker.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { nearcast, root, s3Environment, temporaryFolder } from "./nearcast.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const DAY = 86_400_000;
const ago = (days: number) => new Date(NOW - days * DAY).toISOString();

/** The findings as lines: `wrong: what`. Each has a fix. */
function lines(findings: readonly Finding[]): string[] {
  for (const { level, fix } of findings) if (level !== "note") expect(fix).toBeTruthy();
  return findings.map(({ level, what }) => `${level}: ${what}`);
}

/** Exactly one finding, of this level, that matches; and none without the mistake. */
function expectOnly(findings: readonly Finding[], level: string, pattern: RegExp): void {
  expect(lines(findings)).toEqual([
    expect.stringMatching(new RegExp(`^${level}: .*${pattern.source}`)),
  ]);
}

const keys = keyList(apiKey("web"));
const good = { API_KEYS: keys, RATE_LIMIT: "100/60s" };
const settings = (variables: Record<string, string>) =>
  ({ where: "here", platform: "node", variables, isReached: true }) as const;

describe("who may ask", () => {
  test.each([
    ["keys and a rate", good, undefined, /./],
    [
      "an issuer",
      { JWT_ISSUER: "https://i", JWT_AUDIENCE: "a", RATE_LIMIT: "1/1s" },
      undefined,
      /./,
    ],
    ["nothing but a rate", { RATE_LIMIT: "1/1s" }, "wrong", /Neither API_KEYS nor JWT_ISSUER/],
    ["an open door", { AUTH: "none" }, "wrong", /lets everyone in, and without RATE_LIMIT/],
    [
      "an open door with a rate",
      { AUTH: "none", RATE_LIMIT: "1/1s" },
      "unwise",
      /lets everyone in/,
    ],
    ["an open door and keys", { AUTH: "none", ...good }, "wrong", /stops the start/],
    [
      "an issuer for nobody",
      { JWT_ISSUER: "https://i", RATE_LIMIT: "1/1s" },
      "wrong",
      /JWT_AUDIENCE/,
    ],
    ["no rate", { API_KEYS: keys }, "unwise", /No RATE_LIMIT/],
    ["pages of everywhere", { ...good, CORS_ORIGINS: "*" }, "unwise", /CORS_ORIGINS=\*/],
    ["pages of one origin", { ...good, CORS_ORIGINS: "https://a.test" }, undefined, /./],
  ])("%s", (_, variables, level, pattern) => {
    const findings = checkWhoMayAsk(settings(variables));
    if (level === undefined) expect(findings).toEqual([]);
    else expectOnly(findings, level, pattern);
  });

  test("a server that this machine alone reaches needs neither", () => {
    expect(checkWhoMayAsk({ ...settings({}), isReached: false })).toEqual([]);
  });
});

const until = (days: number) => keyList(apiKey("web", { expires: ago(-days) }));

test("keys that expire, have expired, or are none", () => {
  expect(checkKeys(keys, "here", NOW)).toEqual([]);
  expect(checkKeys(until(30), "here", NOW)).toEqual([]);
  expectOnly(checkKeys(until(5), "here", NOW), "unwise", /The key web expires/);
  expectOnly(checkKeys(until(-1), "here", NOW), "wrong", /The key web has expired/);
  expectOnly(checkKeys("[]", "here", NOW), "wrong", /no entry/);
  expectOnly(checkKeys("hunter2", "here", NOW), "wrong", /must be a JSON array/);
  expect(lines(checkKeys("hunter2", "here", NOW)).join()).not.toContain("hunter2");
});

test("variables that a start would refuse", () => {
  expect(readSettings(settings({ PORT: "8080", PATH: "/bin" }))).not.toBeInstanceOf(Array);
  const found = readSettings(settings({ CORS_ORIGIN: "https://a.test", MAX_BATCH: "many" }));
  expect(lines(found as Finding[])).toEqual([
    expect.stringMatching(/^wrong: .*CORS_ORIGIN/),
    expect.stringMatching(/^wrong: MAX_BATCH/),
  ]);
});

test("addresses without TLS, unless they are this machine's", () => {
  const at = (S3_ENDPOINT: string) => checkAddresses(settings({ S3_ENDPOINT }));
  expect([...at("https://s3.test"), ...at("http://localhost:9000"), ...at("")]).toEqual([]);
  expectOnly(at("http://minio:9000"), "unwise", /S3_ENDPOINT .* without TLS/);
  expectOnly(checkAddresses(settings({ REDIS_URL: "redis://cache" })), "unwise", /REDIS_URL/);
  expectOnly(checkAddresses(settings({ SPILL_URL: "http://region" })), "unwise", /SPILL_URL/);
  const alone = readSettings(settings({ ...good, SPILL_URL: "https://region" }));
  expectOnly(alone as Finding[], "wrong", /SPILL_SECRET: must be set with SPILL_URL/);
  const pair = { SPILL_URL: "https://region", SPILL_SECRET: "s".repeat(32) };
  expect(readSettings(settings({ ...good, ...pair }))).toMatchObject({
    spill: { url: pair.SPILL_URL },
  });
});

const debuggerOf = (NODE_OPTIONS: string) => checkDebugger(settings({ NODE_OPTIONS }));

test("an open debugger, placeholders, and a Node that gets no fixes", () => {
  expect(debuggerOf("--max-old-space-size=512")).toEqual([]);
  expectOnly(debuggerOf("--inspect=0.0.0.0"), "wrong", /debugger/);
  expect(checkPlaceholders({ bucket_name: "my-models", STORE: "s3://a/todos" }, "here")).toEqual(
    [],
  );
  for (const value of ["<bucket>", "your-bucket", "TODO", "xxxxxxxx", "YOUR_BUCKET"])
    expectOnly(
      checkPlaceholders({ bucket_name: value }, "here"),
      "wrong",
      /bucket_name .* placeholder/,
    );
  expect(checkNode("24.21.0", "here")).toEqual([]);
  expect(checkNode("22.13.0", "here")).toEqual([]);
  expectOnly(checkNode("22.12.0", "here"), "unwise", /no jobs/);
  expectOnly(checkNode("20.19.0", "here"), "unwise", /no fixes/);
});

describe("a Worker", () => {
  const worker = {
    compatibilityDate: "2026-01-01",
    crons: ["17 * * * *"],
    rates: ["RATE_LIMIT_100_60"],
    vars: { RATE_LIMIT: "100/60s" } as Record<string, unknown>,
    queues: {},
  };
  const place = { where: "wrangler.toml", isWatched: false, now: NOW };
  const jobs = { producers: [{ binding: "JOBS", queue: "jobs" }], consumers: [] };

  test("that is right", () => expect(checkWorker(worker, place)).toEqual([]));

  test.each([
    ["an old date", { compatibilityDate: "2024-01-01" }, "unwise", /compatibility_date is 2024/],
    ["no date", { compatibilityDate: undefined }, "unwise", /compatibility_date is not set/],
    ["no cron trigger", { crons: [] }, "unwise", /No cron trigger/],
    ["a rate without its binding", { rates: [] }, "wrong", /RATE_LIMIT_100_60/],
    ["keys in its file", { vars: { API_KEYS: keys } }, "unwise", /API_KEYS is in \[vars\]/],
    ["jobs that nobody runs", { queues: jobs }, "wrong", /no \[\[queues\.consumers\]\]/],
  ])("with %s", (_, change, level, pattern) => {
    expectOnly(checkWorker({ ...worker, ...change }, place), level, pattern);
  });

  test("needs a cron trigger where models are on trial or keep inputs", () => {
    const watched = { ...place, isWatched: true };
    expectOnly(checkWorker({ ...worker, crons: [] }, watched), "wrong", /No cron trigger/);
  });
});

const Jobs = { Type: "AWS::SQS::Queue", Properties: { RedrivePolicy: {} } };

const parameters = (values: object) => ({
  resources: {
    Resources: { Jobs },
    Parameters: Object.fromEntries(
      Object.entries(values).map(([name, Default]) => [name, { Default: Default as string }]),
    ),
  },
});

describe("a stack", () => {
  const provider = {
    runtime: "nodejs24.x",
    memorySize: 1769,
    environment: { RATE_LIMIT: "1/1s", RATE_LIMIT_TABLE: {}, JOBS_QUEUE_URL: {} } as object,
  };
  const service = {
    provider,
    functions: { watch: { events: [{ schedule: "rate(1 minute)" }] } },
    resources: { Resources: { Jobs }, Parameters: {} },
  };
  const place = { where: "serverless.yml", isWatched: false, budgetMb: 256 };
  const look = (change: object, more: object = {}) =>
    checkStack({ ...service, ...change } as never, { ...place, ...more });

  test("that is right", () => expect(look({})).toEqual([]));

  test.each([
    ["an old Node", { provider: { ...provider, runtime: "nodejs20.x" } }, "wrong", /nodejs20\.x/],
    ["little memory", { provider: { ...provider, memorySize: 512 } }, "wrong", /memorySize is 512/],
    ["no schedule", { functions: {} }, "unwise", /No function has a schedule/],
    [
      "rates that nobody shares",
      { provider: { ...provider, environment: { RATE_LIMIT: "1/1s" } } },
      "wrong",
      /needs RATE_LIMIT_TABLE/,
    ],
    [
      "no dead letters",
      { resources: { Resources: { Jobs: { Type: "AWS::SQS::Queue", Properties: {} } } } },
      "wrong",
      /No queue has a dead-letter/,
    ],
  ])("with %s", (_, change, level, pattern) => expectOnly(look(change), level, pattern));

  test.each([
    [{ DomainName: "a.test", CertificateArn: "" }, "wrong", /certificateArn/],
    [{ MonthlyBudget: "5", AlarmEmail: "" }, "wrong", /told to nobody/],
    [{ Alarms: "on", AlarmEmail: "", AlarmTopic: "" }, "unwise", /Alarms are told to nobody/],
  ] as const)("with half of an option: %j", (given, level, pattern) => {
    expectOnly(look(parameters(given)), level, pattern);
    const whole = { ...given, CertificateArn: "arn", AlarmEmail: "a@b.test" };
    expect(look(parameters(whole))).toEqual([]);
  });

  test("needs a schedule where models are on trial or keep inputs", () => {
    expectOnly(look({ functions: {} }, { isWatched: true }), "wrong", /No function has a schedule/);
  });
});

const event = (days: number) => ({ version: "1", at: ago(days) });
const trial = (days: number) => [
  { version: "1", percent: 5, segments: [{ id: 1, since: ago(days), share: 0.05 }] },
];

describe("models", () => {
  const MIB = 1024 * 1024;
  const config = {
    runtime: "native",
    sessionBudgetBytes: 256 * MIB,
    trustedKeys: undefined,
    spill: { url: undefined, secrets: undefined, hedgeMs: undefined },
  } as const;
  let models: string;
  const release = (json: object) =>
    writeFile(join(models, "iris/release.json"), JSON.stringify(json));
  const look = (more: object = {}, url = "s3://models") =>
    checkStore(createFolderStore(models), url, { ...config, ...more }, { now: NOW });

  async function withIris(): Promise<void> {
    models = await temporaryFolder();
    await mkdir(join(models, "iris"));
    await cp(join(root, "models/iris/1"), join(models, "iris/1"), { recursive: true });
    await release({ schema: 2, stable: "1" });
  }

  test("that are right, old, stuck, of another format, or not there", async () => {
    await withIris();
    expect(await look()).toEqual({ findings: [], isWatched: false, lookingUp: [] });
    await release({ schema: 2, stable: "1", history: [event(30)] });
    expect((await look()).findings).toEqual([]);
    await release({ schema: 2, stable: "1", history: [event(400)] });
    expectOnly((await look()).findings, "unwise", /was released 400 days ago/);
    await release({ schema: 2, stable: "1", candidates: trial(2) });
    expect(await look()).toEqual({ findings: [], isWatched: true, lookingUp: [] });
    await release({ schema: 2, stable: "1", candidates: trial(20) });
    expectOnly((await look()).findings, "unwise", /on trial for 20 days/);
    await release({ stable: "1" });
    expectOnly((await look()).findings, "unwise", /format 1/);
    // Written by hand, in a folder.
    expect((await look({}, models)).findings).toEqual([]);
    await release({ schema: 9, stable: "1" });
    expectOnly((await look()).findings, "unwise", /format 9/);
    await release({ schema: 2, stable: "7" });
    expectOnly((await look()).findings, "wrong", /iris@7 is released and not there/);
    await writeFile(join(models, "iris/release.json"), "{");
    expect(lines((await look()).findings)[0]).toMatch(/^wrong: iris\/release\.json/);
  });

  test("a release file that is old, or cannot be read, is mended as the fix says", async () => {
    await withIris();
    const store = createFolderStore(models);
    const note = { by: "a test" };
    await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
    const path = join(models, "iris/2/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...manifest, version: "2" }));

    await release({ stable: "1" });
    const [old] = (await look()).findings;
    expect(old?.fix).toBe("The next npx nearcast release or rollout of iris writes format 2.");
    await releaseVersion(store, "iris", "2", note);
    expect((await look()).findings).toEqual([]);

    await writeFile(join(models, "iris/release.json"), "{");
    const [broken] = (await look()).findings;
    expect(broken?.fix).toMatch(/or remove it, and: npx nearcast release iris@VERSION/);
    await expect(releaseVersion(store, "iris", "1", note)).rejects.toThrow();
    await rm(join(models, "iris/release.json"));
    await releaseVersion(store, "iris", "1", note);
    expect((await look()).findings).toEqual([]);
  });

  test("that fit, do not fit, or fit only one at a time", async () => {
    await withIris();
    await cp(join(models, "iris"), join(models, "again"), { recursive: true });
    const path = join(models, "again/1/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as { artifact: object };
    await writeFile(path, JSON.stringify({ ...manifest, name: "again" }));
    const wasm = { runtime: "wasm" } as const;
    expect((await look({ ...wasm, sessionBudgetBytes: MIB })).findings).toEqual([]);
    const together = await look({ ...wasm, sessionBudgetBytes: 100_000 });
    expectOnly(together.findings, "unwise", /loaded again and again/);
    const none = lines((await look({ ...wasm, sessionBudgetBytes: 10_000 })).findings);
    expect(
      none.filter((line) => /^wrong: (iris|again)@1 is too large, .* 507/.test(line)),
    ).toHaveLength(2);
  });

  test("that a trusted key signed, or not", async () => {
    await withIris();
    const iris = await openPackage(models, { name: "iris", version: "1" });
    const [ours, theirs] = [join(models, "ours.pem"), join(models, "theirs.pem")];
    await createKey(ours);
    await createKey(theirs);
    const own = await signPackage(iris, { pem: await readFile(ours, "utf8"), source: ours });
    expect((await look({ trustedKeys: [own] })).findings).toEqual([]);
    await rm(join(models, "iris/1/model.json.sig"));
    expectOnly((await look({ trustedKeys: [own] })).findings, "wrong", /iris@1 is not signed/);
    await signPackage(iris, { pem: await readFile(theirs, "utf8"), source: theirs });
    expectOnly((await look({ trustedKeys: [own] })).findings, "wrong", /iris@1 is not signed/);
  });

  test("of which none is released", async () => {
    models = await temporaryFolder();
    expectOnly((await look()).findings, "wrong", /No model is released/);
  });
});

test("clocks that differ by more than tokens allow", () => {
  const said = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();
  for (const seconds of [0, 20, -20]) expect(checkClock(said(seconds), NOW, "u")).toEqual([]);
  expect(checkClock(null, NOW, "u")).toEqual([]);
  expectOnly(checkClock(said(120), NOW, "u"), "wrong", /120 s ahead of/);
  expectOnly(checkClock(said(-90), NOW, "u"), "wrong", /90 s behind/);
});

test("deployments that are not alike", () => {
  const sight = { url: "a", findings: [], version: "1.0.0", models: "iris@1" };
  expect(compare([sight, { ...sight, url: "b" }])).toEqual([]);
  expectOnly(compare([sight, { ...sight, version: "0.9.0" }]), "unwise", /Nearcast 0\.9\.0/);
  expectOnly(compare([sight, { ...sight, models: "iris@2" }]), "unwise", /iris@2/);
});

describe("the command", () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3({ buckets: ["models", "empty"], region: "eu-west-1" });
    for (const file of ["1/model.json", "1/model.onnx"])
      s3.put("models", `iris/${file}`, await readFile(join(root, "models/iris", file)));
    s3.put("models", "iris/release.json", JSON.stringify({ schema: 2, stable: "1" }));
  });
  afterAll(() => s3.close());

  const doctor = async (env: Record<string, string>) => {
    const { code, stdout } = await nearcast(["doctor", "--platform", "node", "--json"], {
      env: { ...s3Environment(s3), AWS_REGION: "eu-west-1", HOST: "0.0.0.0", ...good, ...env },
    });
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    return { code, findings };
  };

  test("ends with 0 when nothing is wrong, and with 1 when something is", async () => {
    expect(await doctor({ STORE: "s3://models" })).toEqual({ code: 0, findings: [] });
    const unwise = await doctor({ STORE: "s3://models", CORS_ORIGINS: "*" });
    expect(unwise.code).toBe(0);
    expectOnly(unwise.findings, "unwise", /CORS_ORIGINS/);
    const wrong = await doctor({ STORE: "s3://empty" });
    expect(wrong.code).toBe(1);
    expectOnly(wrong.findings, "wrong", /No model is released/);
  });

  test("finds a bucket that is far, missing, closed or out of reach", async () => {
    const far = await doctor({ STORE: "s3://models", AWS_REGION: "us-east-1" });
    expectOnly(far.findings, "unwise", /in eu-west-1, and asked from us-east-1/);
    const missing = await doctor({ STORE: "s3://nobody" });
    expectOnly(missing.findings, "wrong", /There is no such bucket/);
    s3.behaviour = "forbidden";
    const closed = await doctor({ STORE: "s3://models" }).finally(() => (s3.behaviour = "ok"));
    expectOnly(closed.findings, "wrong", /refuses these credentials/);
    const nowhere = await doctor({ STORE: "s3://models", S3_ENDPOINT: "http://127.0.0.1:1" });
    expectOnly(nowhere.findings, "wrong", /Nothing answers/);
    expect([missing.code, closed.code, nowhere.code, far.code]).toEqual([1, 1, 1, 0]);
  });

  test("says each thing with its fix", async () => {
    const env = { ...s3Environment(s3), STORE: "s3://empty", HOST: "0.0.0.0", AUTH: "none" };
    const { code, stdout, stderr } = await nearcast(["doctor", "--platform", "node"], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^WRONG {2}the environment: AUTH=none lets everyone in.*\n {7}npx nearcast key/m,
    );
    expect(stdout).toMatch(
      /^WRONG {2}s3:\/\/empty: No model is released.*\n {7}npx nearcast push/m,
    );
    expect(stderr).toBe("nearcast: 2 things are wrong.\n");
  });
});
