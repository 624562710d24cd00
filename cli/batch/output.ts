import { createHash } from "node:crypto";
import { open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import type { Position } from "../../functions/inputs/source.ts";
import { replaceFile } from "../replace-file.ts";

/** How far a run has come. Lies beside the output until that is whole. */
export interface Progress {
  /** What was asked for. Another run does not go on with this one's. */
  run: string;
  next?: Position | undefined;
  rows: number;
  failed: number;
  /** The columns of CSV, and the rows that came before the first output. */
  columns?: readonly string[] | undefined;
  waiting: number;
  outputBytes: number;
  errorBytes: number;
}

/** The files of a run while it goes on: partial ones, and the progress. */
export interface Output {
  progress: Progress;
  /** Writes lines to both files, and then how far the run has come. */
  write(output: string, errors: string, progress: Omit<Progress, keyof Written>): Promise<void>;
  /** Gives the files their names. The one of errors is there only if there are any. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

type Written = Pick<Progress, "run" | "outputBytes" | "errorBytes">;

export function errorsPath(path: string): string {
  return `${path}.errors.jsonl`;
}

/** What a run was asked for, as a digest. */
export function runOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Opens the output of a run, or goes on where the same run was ended. */
export async function openOutput(path: string, run: string): Promise<Output> {
  const progressPath = `${path}.progress`;
  const [partial, errorsPartial] = [`${path}.partial`, `${errorsPath(path)}.partial`];
  let progress = await readProgress(progressPath, run, partial, errorsPartial);
  const output = await openAt(partial, progress.outputBytes);
  const errors = await openAt(errorsPartial, progress.errorBytes);
  const close = async () => {
    await output.close();
    await errors.close();
  };
  return {
    get progress() {
      return progress;
    },
    async write(lines, errorLines, change) {
      const written = await Promise.all([
        append(output, lines, progress.outputBytes),
        append(errors, errorLines, progress.errorBytes),
      ]);
      progress = {
        ...change,
        run,
        outputBytes: progress.outputBytes + written[0],
        errorBytes: progress.errorBytes + written[1],
      };
      await replaceFile(progressPath, JSON.stringify(progress));
    },
    async finish() {
      await close();
      if (progress.errorBytes > 0) await rename(errorsPartial, errorsPath(path));
      else await Promise.all([rm(errorsPartial), rm(errorsPath(path), { force: true })]);
      await rename(partial, path);
      await rm(progressPath, { force: true });
    },
    close,
  };
}

async function readProgress(path: string, run: string, ...partials: string[]): Promise<Progress> {
  const start = { run, rows: 0, failed: 0, waiting: 0, outputBytes: 0, errorBytes: 0 };
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return start;
  const found = JSON.parse(text) as Progress;
  const sizes = await Promise.all(
    partials.map((one) =>
      stat(one).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const [outputSize = 0, errorSize = 0] = sizes;
  const isThere = outputSize >= found.outputBytes && errorSize >= found.errorBytes;
  return found.run === run && isThere ? found : start;
}

/** Opens a file for writing behind its first bytes. What came after them belongs to an unfinished step. */
async function openAt(path: string, bytes: number): Promise<FileHandle> {
  const file = await open(path, bytes > 0 ? "r+" : "w");
  await file.truncate(bytes);
  return file;
}

async function append(file: FileHandle, text: string, at: number): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 0) await file.write(bytes, 0, bytes.length, at);
  return bytes.length;
}
