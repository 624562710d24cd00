import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { environment } from "../cli/nearcast.ts";
import { startNodeServer } from "./node-server.ts";
import { TEMPORARY } from "./temporary.ts";

const NAME =
  'console.log(`http://localhost:1 ${require("node:os").tmpdir()}`); setInterval(() => 0, 1e6)';

test("tests, commands and servers use the temporary folder of the run, which is removed after it", async () => {
  expect(basename(tmpdir())).toMatch(new RegExp(`^${TEMPORARY}`));
  const said = ["-p", 'require("node:os").tmpdir()'];
  const { stdout } = await promisify(execFile)(process.execPath, said, { env: environment() });
  expect(stdout.trim()).toBe(tmpdir());
  const server = await startNodeServer({ nodeFlags: ["-e"], entry: NAME });
  onTestFinished(async () => void (await server.stop()));
  expect(server.logs).toContain(tmpdir());
});
