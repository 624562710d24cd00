import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readSpilled, signSpilled, type Spilled } from "../../functions/spillover/token.ts";
import { deploy, deployEdge, SECRET, serveRegion, useServed } from "./deployments.ts";

const REQUEST = { method: "POST", path: "/v1/models/iris/predict", search: "" };
const SPILLED: Spilled = {
  caller: "web",
  model: "iris",
  version: "1",
  reason: "stable",
  digest: "0",
  body: "",
};
const NAMED = { SPILL_SECRET: "ssm:/models/spill-secret" };
const keep = useServed();

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

/** The region, and how often it has read its secret. */
function counted(answer: () => Promise<string | undefined>) {
  const read = vi.fn<() => Promise<string | undefined>>(answer);
  const region = deploy({ ...NAMED, AUTH: "", API_KEYS: "[]" }, {}, { readSecret: read });
  async function send(token: string) {
    const headers = { "Content-Type": "application/json", "X-Nearcast-Spill": token };
    const init = { method: REQUEST.method, headers, body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}' };
    const answered = await region.request(REQUEST.path, init);
    const { code, detail } = (await answered.json()) as { code: string; detail: string };
    return { status: answered.status, code, detail };
  }
  return { read, send };
}

test("what is no token of this request is refused before the secret is read", async () => {
  const { read, send } = counted(async () => SECRET);
  const other = { ...REQUEST, path: "/v1/models/digits/predict" };
  const [header, claims] = (await signSpilled(SPILLED, other, SECRET)).split(".");
  for (const token of ["a", "a.b.c", `${header}.e30.c`, `${header}.${claims}.c`])
    expect(await send(token), token).toMatchObject({ status: 401, code: "unauthorized" });
  expect(read).not.toHaveBeenCalled();
  const wrong = await signSpilled(SPILLED, REQUEST, `${SECRET} or not`);
  expect((await send(wrong)).status).toBe(401);
  expect(read).toHaveBeenCalledTimes(1);
});

test("a failure is remembered for five seconds, and requests share a read", async () => {
  let isDown = true;
  const { read, send } = counted(async () => {
    if (isDown) throw new Error("out of reach");
    return SECRET;
  });
  const token = await signSpilled(SPILLED, REQUEST, `${SECRET} or not`);
  const ten = () => Promise.all(Array.from({ length: 10 }, () => send(token)));
  const told = { status: 503, code: "store_unavailable" };
  for (const one of [...(await ten()), ...(await ten())]) expect(one).toMatchObject(told);
  expect(read).toHaveBeenCalledTimes(1);
  pass(5000);
  isDown = false;
  for (const one of await ten()) expect(one.status).toBe(401);
  expect(read).toHaveBeenCalledTimes(2);
});

test("a parameter that does not exist is told from one that cannot be read", async () => {
  const token = await signSpilled(SPILLED, REQUEST, SECRET);
  const missing = await counted(async () => undefined).send(token);
  expect(missing).toMatchObject({ status: 503, code: "store_unavailable" });
  expect(missing.detail).toContain("does not exist");
  expect((await counted(async () => "too short").send(token)).detail).toContain("is not usable");
});

test("an edge reads its secret when it is needed, and again a while after a failure", async () => {
  const answers = [new Error("out of reach"), undefined, "too short", SECRET, `${SECRET} or not`];
  const readSecret = vi.fn<(name: string) => Promise<string | undefined>>(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const edge = deployEdge(await keep(serveRegion()), NAMED, { readSecret });
  const ask = async () => {
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: '{"inputs": [5.1, 3.5, 1.4, 0.2]}' };
    return (await edge.request(REQUEST.path, init)).status;
  };
  for (let turn = 0; turn < 3; turn++) {
    expect([await ask(), await ask()]).toEqual([503, 503]);
    pass(5000);
  }
  expect([await ask(), await ask()]).toEqual([200, 200]);
  expect(readSecret.mock.calls).toEqual(Array.from({ length: 4 }, () => ["/models/spill-secret"]));
});

test("the secrets are asked for only by a token that is right but for its signature", async () => {
  const token = await signSpilled(SPILLED, REQUEST, SECRET);
  const secrets = vi.fn<() => string[]>(() => [`${SECRET} or not`, SECRET]);
  expect(await readSpilled(token, { ...REQUEST, method: "PUT" }, secrets)).toBeUndefined();
  expect(secrets).not.toHaveBeenCalled();
  expect(await readSpilled(token, REQUEST, secrets)).toEqual(SPILLED);
});
