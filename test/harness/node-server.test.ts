import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNodeServer } from "./node-server.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "nearcast-node-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function entry(name: string, onTerm: string): Promise<string> {
  const file = path.join(directory, name);
  const source = `
    import { createServer } from 'node:http'
    const server = createServer((request, response) => response.end(request.url + ' ' + process.env.COLOUR + ' ' + process.env.VITEST))
    server.listen(Number(process.env.PORT), () => {
      const port = String(server.address().port)
      process.stdout.write('Listening on http://localhost:' + port.slice(0, 2))
      setTimeout(() => console.log(port.slice(2) + ' until SIGTERM'), 50)
    })
    process.on('SIGTERM', () => { ${onTerm} })
  `;
  await writeFile(file, source);
  return file;
}

test("the server answers on a free port, with the given environment, until it is asked to stop", async () => {
  const server = await startNodeServer({
    entry: await entry("ok.mjs", "process.exit(0)"),
    env: { COLOUR: "green" },
  });
  expect(await (await server.fetch("/a?b=1")).text()).toBe("/a?b=1 green undefined");
  expect(server.logs).toContain("until SIGTERM");
  expect(await server.stop()).toBe(0);
  expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
});

test("a server that ignores SIGTERM is killed", async () => {
  const server = await startNodeServer({ entry: await entry("deaf.mjs", ""), stopLimitMs: 300 });
  expect(await server.stop()).toBe(null);
});

test("a server that does not start fails with what it said", async () => {
  const broken = path.join(directory, "broken.mjs");
  await writeFile(broken, `throw new Error('no model store')`);
  await expect(startNodeServer({ entry: broken })).rejects.toThrow(
    /exited with 1:[^]*no model store/,
  );
  const silent = path.join(directory, "silent.mjs");
  await writeFile(silent, `console.log('thinking'); setTimeout(() => {}, 60_000)`);
  await expect(startNodeServer({ entry: silent, startLimitMs: 500 })).rejects.toThrow(
    /within 500 ms:\nthinking/,
  );
});
