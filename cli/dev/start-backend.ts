import type { Backend, StartOptions } from "./backend.ts";
import { forward } from "./forward.ts";
import { endGroup, startGroup } from "./process.ts";

export interface BackendProcess extends StartOptions {
  /** Node's arguments. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Its name in the message about its end. */
  program: string;
  /** Finds the port in what the process has printed. Undefined until it listens. */
  portIn: (output: string) => number | undefined;
  /** Whether its errors, like its output, are held back until it listens. */
  holdErrors: boolean;
  /** The message when it ends before that. */
  failure: (why: string, output: string) => string;
}

/** Starts a server in a process group. Rejects when it ends before it listens. */
export async function startBackend(options: BackendProcess): Promise<Backend> {
  const { args, env, program, portIn, holdErrors, failure, onEnd, signal } = options;
  const child = startGroup(args, { env, signal });
  let stopped = false;
  const port = await new Promise<number>((resolve, reject) => {
    let output = "";
    let started = false;
    const holdBack = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
      if (started) return void target.write(chunk);
      output += chunk.toString();
      const found = portIn(output);
      if (found === undefined) return;
      started = true;
      resolve(found);
    };
    child.stdout.on("data", holdBack(process.stdout));
    child.stderr.on("data", holdErrors ? holdBack(process.stderr) : showError);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const why = `${program} ended with ${signal ?? `code ${code}`}`;
      if (!started) reject(new Error(failure(why, output)));
      else if (!stopped) onEnd(why);
    });
  });
  return {
    answer: forward(port),
    async stop() {
      stopped = true;
      await endGroup(child);
    },
  };
}

function showError(chunk: Buffer): void {
  process.stderr.write(chunk);
}
