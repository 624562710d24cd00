import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startGrpc } from "../dialects/grpc-http2.ts";
import { PLATFORMS } from "../dialects/platforms.ts";
import type { Target } from "../harness/targets.ts";
import { openDoor } from "./door.ts";
import { findPython, MAKE_VENV } from "./tools.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const python = findPython();
if (!python) console.log(`Python's clients are not installed: skipped. ${MAKE_VENV}`);

const deployed = PLATFORMS.filter(([name]) => name !== "nodeWasm");

test.skipIf(!python).each(["triton_grpc_client.py", "kserve_grpc_client.py"])(
  "%s is answered all that it asks over gRPC",
  async (script) => {
    const store = await mkdtemp(join(tmpdir(), "nearcast-grpc-"));
    for (const models of ["../../models", "../fixtures/identity"])
      await cp(join(here, models), store, { recursive: true });
    const server = await startGrpc({ env: { STORE: store } });
    onTestFinished(async () => {
      await server.stop();
      await rm(store, { recursive: true });
    });
    const { stdout } = await run(python ?? "", [join(here, script), server.grpcUrl.slice(7)]);
    expect(stdout).toContain("all answered");
  },
);

describe.skipIf(!python).each(deployed)("on %s", (_name, start) => {
  let target: Target;
  let door: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    target = await start();
    door = await openDoor(target);
  });
  afterAll(async () => {
    door?.close();
    await target?.stop();
  });

  test.each(["kserve_client.py", "triton_client.py", "openai_client.py", "mlflow_client.py"])(
    "%s is answered all that it asks",
    async (script) => {
      const { stdout } = await run(python ?? "", [join(here, script), door.url]);
      expect(stdout).toContain("all answered");
    },
  );

  test("the Python example of docs/clients.md prints what the page says", async () => {
    const page = await readFile(join(here, "../../docs/clients.md"), "utf8");
    const [, code = "", printed] = /```python\n([^]*?)```\s+```text\n([^]*?)```/.exec(page) ?? [];
    const folder = await mkdtemp(join(tmpdir(), "nearcast-example-"));
    const file = join(folder, "example.py");
    await writeFile(file, code.replace("localhost:8787", door.url.replace("http://", "")));
    const { stdout } = await run(python ?? "", [file]);
    await rm(folder, { recursive: true });
    expect(stdout).toBe(printed);
  });
});
