import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Lambda, startLambda } from "../../cli/local/lambda.ts";
import { findRic } from "../../cli/local/ric.ts";

const handler = `
let served = 0
let ticks = 0
setInterval(() => (ticks += 1), 10)
export const handler = async (event, context) => {
  const path = event.rawPath
  served += 1
  if (path === '/error') throw new TypeError('broken')
  if (path === '/exit') process.exit(3)
  if (path === '/hang') await new Promise((resolve) => setTimeout(resolve, 60_000))
  if (path === '/large') return { statusCode: 200, body: 'x'.repeat(6_400_000) }
  if (path === '/served') return { served, ticks, remaining: context.getRemainingTimeInMillis(), env: process.env }
  console.log('echoing', path)
  return {
    statusCode: 201,
    headers: { 'X-Query': event.rawQueryString, 'X-Base64': String(event.isBase64Encoded) },
    cookies: ['a=1', 'b=2'],
    body: event.body ?? '',
    isBase64Encoded: event.isBase64Encoded,
  }
}
`;

// Where the addon is not compiled, the first is skipped and the second tests the replacement.
describe.each(["native", "javascript"] as const)("with the %s transport", (transport) => {
  let directory: string;
  let lambda: Lambda | undefined;
  const current = (): Lambda => {
    if (lambda === undefined) throw new Error("not started");
    return lambda;
  };

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "nearcast-lambda-"));
    await writeFile(path.join(directory, "index.mjs"), handler);
    if ((await findRic()).transport === "javascript" && transport === "native") return;
    lambda = await startLambda({
      directory,
      handler: "index.handler",
      transport,
      env: { COLOUR: "green" },
    });
  }, 300_000);
  afterAll(async () => {
    await lambda?.stop();
    await rm(directory, { recursive: true });
  });
  test.beforeEach((context) =>
    context.skip(lambda === undefined, "aws-lambda-ric is not compiled: npm run build:ric"),
  );

  test("text goes in and comes out as it is", async () => {
    const response = await current().fetch("/echo?a=1&a=2", {
      method: "POST",
      body: '{"é":1}',
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-query")).toBe("a=1&a=2");
    expect(response.headers.get("x-base64")).toBe("false");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await response.text()).toBe('{"é":1}');
    await expect.poll(() => current().logs).toContain("echoing /echo");
  });

  test("bytes go in and come out as base64", async () => {
    const body = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const response = await current().fetch("/echo", {
      method: "POST",
      body,
      headers: { "content-type": "image/png" },
    });
    expect(response.headers.get("x-base64")).toBe("true");
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  test("a process serves many events, one at a time, with a clean environment", async () => {
    const before = current().coldStarts;
    const results = await Promise.all(
      Array.from({ length: 5 }, () => current().invoke({ rawPath: "/served" })),
    );
    const payloads = results.map(
      ({ payload }) =>
        payload as { served: number; remaining: number; env: Record<string, string> },
    );
    const first = payloads[0]?.served ?? 0;
    expect(payloads.map(({ served }) => served)).toEqual([0, 1, 2, 3, 4].map((n) => first + n));
    expect(payloads[4]?.remaining).toBeGreaterThan(0);
    expect(payloads[4]?.env).toMatchObject({
      COLOUR: "green",
      TZ: ":UTC",
      LAMBDA_TASK_ROOT: directory,
      AWS_REGION: "us-east-1",
    });
    expect(payloads[4]?.env).not.toHaveProperty("VITEST");
    expect(current().coldStarts).toBe(before);
  });

  test("an error is a 502 to the client and the process stays", async () => {
    const before = current().coldStarts;
    expect((await current().fetch("/error")).status).toBe(502);
    expect(await current().invoke({ rawPath: "/error" })).toMatchObject({
      error: "TypeError",
      payload: { errorMessage: "broken" },
    });
    expect(current().coldStarts).toBe(before);
  });

  test("a timeout is a 504, ends the process, and the next event starts another", async () => {
    const hasty = await startLambda({
      directory,
      handler: "index.handler",
      timeoutMs: 3_000,
      transport,
    });
    await hasty.fetch("/echo");
    const { pid } = hasty;
    expect((await hasty.fetch("/hang")).status).toBe(504);
    expect(() => process.kill(pid ?? 0, 0)).toThrow("ESRCH");
    expect(await hasty.invoke({ rawPath: "/served" })).toMatchObject({ payload: { served: 1 } });
    expect(hasty.coldStarts).toBe(2);
    await hasty.stop();
  });

  test("a process that exits fails its event only", async () => {
    const before = current().coldStarts;
    const [exited, next] = await Promise.all([
      current().invoke({ rawPath: "/exit" }),
      current().invoke({ rawPath: "/served" }),
    ]);
    expect(exited).toMatchObject({
      error: "Runtime.ExitError",
      payload: { errorMessage: "Runtime exited with error: exit status 3" },
    });
    expect(next).toMatchObject({ payload: { served: 1 } });
    expect(current().coldStarts).toBe(before + 1);
  });

  test("requests and responses over 6 MB are refused", async () => {
    const body = new Uint8Array(5_000_000);
    expect((await current().fetch("/echo", { method: "POST", body })).status).toBe(413);
    expect((await current().fetch("/large")).status).toBe(502);
    expect((await current().fetch("/echo")).status).toBe(201);
  });

  test("a frozen process makes no progress between events", async () => {
    for (const freeze of [false, true]) {
      const other = await startLambda({ directory, handler: "index.handler", transport, freeze });
      const ticks = async () =>
        ((await other.invoke({ rawPath: "/served" })).payload as { ticks: number }).ticks;
      const before = await ticks();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const progress = (await ticks()) - before;
      await other.stop();
      if (freeze) expect(progress).toBeLessThan(50);
      else expect(progress).toBeGreaterThan(50);
    }
  });

  test("a package that cannot start says why", async () => {
    const broken = await startLambda({ directory, handler: "missing.handler", transport });
    expect(await broken.invoke({})).toMatchObject({ error: "Runtime.ImportModuleError" });
    expect((await broken.fetch("/")).status).toBe(502);
    expect(broken.coldStarts).toBe(2);
    await broken.stop();
  });
});
