import { createWriteStream, readdirSync, readFileSync } from "node:fs";
import { access, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflate } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { canConvert, CONVERSION_LIMIT_MS, suiteFolder } from "./converting.ts";
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

  test("reaches no network, on loopback either", async () => {
    let connections = 0;
    const server = createServer(() => connections++).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const code = `import socket; socket.create_connection(("127.0.0.1", ${port}), 2)`;
    expect(await refused(await harmful(code), "--trust")).toContain("cannot be loaded");
    expect(connections).toBe(0);
    server.close();
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
    expect(commandLines().filter((line) => line.includes(token))).toEqual([]);
  });

  test("that wants 100 GB does not get them", async () => {
    const file = await harmful(`bytearray(100 * 1024**3)`);
    expect(await refused(file, "--trust")).toContain("more than 4096 MB of memory");
  });

  test.each([["bomb.joblib", "joblib's compression"]])(
    "that is small and becomes large: %s",
    async (file) => {
      await writeBomb(join(files, file), 3);
      expect(await refused(file, "--trust", "--memory", "2048")).toContain("memory");
    },
  );
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

/** A compressed pickle of some GiB of zeros. */
async function writeBomb(path: string, gigabytes: number): Promise<void> {
  const head = Buffer.from("800400000000000000000000", "hex").subarray(0, 2);
  const size = Buffer.alloc(9);
  size[0] = 0x8e; // BINBYTES8
  size.writeBigUInt64LE(BigInt(gigabytes) * 1024n ** 3n, 1);
  const block = Buffer.alloc(2 ** 24);
  async function* content() {
    yield head;
    yield size;
    for (let index = 0; index < gigabytes * 64; index++) yield block;
    yield Buffer.from(".");
  }
  await pipeline(Readable.from(content()), createDeflate({ level: 1 }), createWriteStream(path));
}
