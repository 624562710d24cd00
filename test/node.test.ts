import { Agent, request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startNodeServer } from "./harness/node-server.ts";

const CLIENTS = 16;

test("SIGTERM ends the process though clients go on using their connections", async () => {
  const server = await startNodeServer({ cwd: join(import.meta.dirname, "..") });
  const url = new URL("/v1/models/iris/predict", server.url);
  const headers = { "Content-Type": "application/json" };
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let answered = 0;
  const ask = () =>
    new Promise<boolean>((resolve) => {
      const asked = request(url, { method: "POST", headers, agent }, (answer) => {
        answered += 1;
        answer.resume().once("end", () => resolve(true));
      });
      // Its connection was closed while it asked, or there is nobody any more.
      asked.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
      asked.end('{"inputs": [5.1, 3.5, 1.4, 0.2]}');
    });
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (await ask());
  });
  await expect.poll(() => answered).toBeGreaterThan(CLIENTS * 10);
  expect(await server.stop()).toBe(0);
  await Promise.all(clients);
  agent.destroy();
});
