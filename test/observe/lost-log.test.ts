import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { START } from "../harness/node-server.ts";

const MODELS = join(import.meta.dirname, "../../models");

/** A server whose standard error goes where a shell's redirection says, or to a pipe. */
async function start(env: Record<string, string>, redirection = "") {
  const child: ChildProcess = spawn(
    "sh",
    ["-c", `exec "$0" "$@" ${redirection}`, process.execPath, ...START],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        STORE: MODELS,
        SHUTDOWN_GRACE_MS: "0",
        ...env,
        PORT: "0",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`It ended: ${output}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const found = /(http:\/\/localhost:\d+)\b.*\n/.exec(output)?.[1];
      if (found) resolve(found);
    });
  });
  return { child, url, exit };
}

async function ask(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/models/iris/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"inputs":[5.1,3.5,1.4,0.2]}',
  });
  await answer.text();
  return answer.status;
}

const lostLines = async (url: string) =>
  ((await (await fetch(`${url}/ready`)).json()) as { lostLogLines?: number }).lostLogLines ?? 0;

test.each(["0", "1"])(
  "requests go on while the disk of the log is full, with WORKERS=%s, and the loss is counted",
  async (WORKERS) => {
    const { child, url, exit } = await start({ WORKERS }, "2>/dev/full");
    for (let asked = 0; asked < 5; asked++) expect(await ask(url)).toBe(200);
    await expect.poll(() => lostLines(url)).toBeGreaterThanOrEqual(5);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  },
);

test.each(["0", "1"])(
  "requests go on when the readers of the log and of the output went away, with WORKERS=%s",
  async (WORKERS) => {
    const { child, url, exit } = await start({ WORKERS });
    expect(await ask(url)).toBe(200);
    child.stderr?.destroy();
    child.stdout?.destroy();
    await expect
      .poll(async () => [await ask(url), (await lostLines(url)) > 0])
      .toEqual([200, true]);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  },
);

test("a reader of the log that stops costs lines, and is told how many when it reads on", async () => {
  const { child, url } = await start({});
  child.stderr?.pause();
  let asked = 0;
  // The line of each request has its path.
  const long = `${url}/${"a".repeat(12_000)}`;
  while ((await lostLines(url)) === 0) {
    await Promise.all(Array.from({ length: 50 }, () => fetch(long)));
    asked += 1;
    expect(asked).toBeLessThan(200);
  }
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  child.stderr?.resume();
  await expect
    .poll(async () => {
      await ask(url);
      return log;
    })
    .toMatch(/"lostLines":\d+/);
});
