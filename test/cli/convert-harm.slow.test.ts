import { execFile } from "node:child_process";
import { createWriteStream, readdirSync, readFileSync } from "node:fs";
import { access, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createDeflate } from "node:zlib";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { canConvert, CONVERSION_LIMIT_MS, convertersPython, suiteFolder } from "./converting.ts";
import { nearcastProcess } from "./nearcast.ts";

const isAble = canConvert && process.platform === "linux";

describe.skipIf(!isAble)("a file that means harm", { timeout: CONVERSION_LIMIT_MS }, () => {
  let files: string;
  let models: string;
  const convert = (file: string, ...flags: string[]) =>
    nearcastProcess(["convert", join(files, file), "--name", "it", "--models", models, ...flags]);
  const written = () => readdir(models).catch(() => []);
  beforeEach(async () => {
    files = await suiteFolder();
    models = join(files, "models");
  });

  /** A pickle that runs code when it is loaded. */
  const harmful = async (code: string): Promise<string> => {
    await writeFile(join(files, "harm.joblib"), `cbuiltins\nexec\n(V${code}\ntR.`);
    return "harm.joblib";
  };
  const refused = async (file: string, ...flags: string[]): Promise<string> => {
    const { code, stdout, stderr } = await convert(file, ...flags);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await written()).toEqual([]);
    return stderr;
  };

  test("is not loaded without --trust", async () => {
    const marker = join(files, "loaded");
    const file = await harmful(`open(${JSON.stringify(marker)}, "w")`);
    expect(await refused(file)).toContain("If you trust who made it, say --trust");
    await expect(access(marker)).rejects.toThrow("ENOENT");
    // The file does what it is said to.
    await refused(file, "--trust");
    await access(marker);
  });

  test.each([
    ["a namespace", undefined],
    ["a hook of Python, where there is no unshare", { PATH: "/nowhere" }],
  ])("reaches no network, on loopback either: by %s", async (_, env) => {
    let connections = 0;
    const server = createServer(() => connections++).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const code = `import socket; socket.create_connection(("127.0.0.1", ${port}), 2)`;
    const path = join(files, await harmful(code));
    const args = ["convert", path, "--name", "it", "--models", models, "--trust"];
    const { code: exit, stderr } = await nearcastProcess(args, env && { env });
    server.close();
    expect(exit).toBe(1);
    expect(stderr).toContain("cannot be loaded");
    expect(stderr.includes("code that means harm gets round")).toBe(env !== undefined);
    expect(connections).toBe(0);
    expect(await written()).toEqual([]);
  });

  test("gets nothing of the command's environment", async () => {
    const file = await harmful(`import os; raise ValueError(sorted(os.environ))`);
    expect(await refused(file, "--trust")).not.toContain("NODE_COMPILE_CACHE");
  });

  test("that never ends is ended, with what it started", async () => {
    const token = `nearcast-test-${process.pid}`;
    const child = `import subprocess, sys; subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "${token}"], start_new_session=True)`;
    const file = await harmful(`exec('''${child}'''); exec("while True: pass")`);
    expect(await refused(file, "--trust", "--seconds", "3")).toContain("was not read in 3 seconds");
    // The kernel ends what is left of the namespace, a little after its first process.
    const left = () => commandLines().filter((line) => line.includes(token));
    await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 10_000 });
  });

  test("that wants 100 GB does not get them", async () => {
    const file = await harmful(`bytearray(100 * 1024**3)`);
    expect(await refused(file, "--trust")).toContain("more than 4096 MB of memory");
  });

  test.each([
    ["bomb.joblib", writeBomb],
    ["bomb.skops", writeZipBomb],
  ])("that is small and becomes large: %s", async (file, write) => {
    await write(join(files, file));
    expect((await stat(join(files, file))).size).toBeLessThan(2 ** 25);
    const said = await refused(file, "--trust", "--memory", "2048");
    expect(said).toContain("more than 2048 MB of memory");
  });
});

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
}

const GIGABYTES = 3;

/** A compressed pickle of zeros. */
async function writeBomb(path: string): Promise<void> {
  const size = Buffer.alloc(9);
  size[0] = 0x8e; // BINBYTES8
  size.writeBigUInt64LE(BigInt(GIGABYTES) * 1024n ** 3n, 1);
  const block = Buffer.alloc(2 ** 24);
  async function* content() {
    yield Buffer.from("8004", "hex");
    yield size;
    for (let index = 0; index < GIGABYTES * 64; index++) yield block;
    yield Buffer.from(".");
  }
  await pipeline(Readable.from(content()), createDeflate({ level: 1 }), createWriteStream(path));
}

/** A skops file whose schema is zeros. */
async function writeZipBomb(path: string): Promise<void> {
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
    with file.open("schema.json", "w", force_zip64=True) as schema:
        for _ in range(${GIGABYTES} * 64):
            schema.write(bytes(2**24))
`;
  await promisify(execFile)(convertersPython, ["-c", script, path]);
}
