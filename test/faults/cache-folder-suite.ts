import { chmod, chown, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { targets, Target, TargetOptions } from "../harness/targets.ts";

const REQUESTS = [
  ["iris", [5.1, 3.5, 1.4, 0.2], "setosa"],
  ["sentiment", "Great phone.", "positive"],
] as const;

let folder: string;
let target: Target | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-cache-"));
});
afterEach(async () => {
  await target?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a platform does with its folder for artifacts: usable, full, damaged, or owned by others. */
export function cacheFolder(start: typeof targets.node): void {
  /** Only one session fits, so every request loads its artifact, if possible from the folder. */
  async function begin(cacheDirectory: string, options: TargetOptions = {}): Promise<Target> {
    const env = { CACHE_DIR: cacheDirectory, SESSION_BUDGET_MB: "0.2", RELEASE_TTL_SECONDS: "0" };
    target = await start({ ...options, env });
    return target;
  }

  test("what is kept is not asked for again", async () => {
    const target = await begin(folder);
    await expectRight(target);
    expect(artifactsAsked(target)).toBe(2);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("a folder that cannot be made, or is there and takes no files, is done without", async () => {
    await writeFile(join(folder, "file"), "");
    // Not even the superuser can make folders or files in the last three.
    for (const place of [
      join(folder, "file"),
      join(folder, "file/below"),
      "/sys/nearcast",
      "/sys",
      "/proc",
    ]) {
      const target = await begin(place);
      await expectRight(target);
      expect(artifactsAsked(target)).toBe(4);
      await target.stop();
    }
  });

  test("a folder that is deleted, or whose files are damaged, is filled again", async () => {
    const target = await begin(folder);
    await expectRight(target);
    await rm(folder, { recursive: true });
    await expectRight(target);
    expect(artifactsAsked(target)).toBe(4);
    for (const file of await readdir(folder)) await writeFile(join(folder, file), "garbage");
    await expectRight(target);
    expect(artifactsAsked(target)).toBe(6);
  });

  test("a folder in which others could swap a file is done without, and the log says so", async (context) => {
    context.skip(process.platform === "win32", "needs owners of files");
    const expectUnused = async (place: string) => {
      const target = await begin(place);
      await expectRight(target);
      expect(artifactsAsked(target)).toBe(4);
      expect(await readdir(folder)).toEqual([]);
      expect(target.logs().match(/cache folder not used/g)).toHaveLength(1);
      await target.stop();
    };
    for (const mode of [0o777, 0o770, 0o1777]) {
      await chmod(folder, mode);
      await expectUnused(folder);
    }
    context.skip(process.getuid?.() !== 0, "only the superuser gives folders away");
    await chmod(folder, 0o700);
    await chown(folder, 12_345, 12_345);
    await expectUnused(folder);
  });

  test("a disk that is full in the middle of a file serves from memory, and leaves no part of one", async () => {
    const target = await begin(folder, { fullDisk: true });
    await expectRight(target);
    expect(artifactsAsked(target)).toBe(4);
    expect(await readdir(folder)).toEqual([]);
  });
}

async function expectRight(target: Target): Promise<void> {
  for (const [model, inputs, label] of [...REQUESTS, ...REQUESTS]) {
    const answer = await target.fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ outputs: { label } });
  }
}

function artifactsAsked({ store }: Target): number {
  return store.gets().filter((key) => key.endsWith("model.onnx")).length;
}
