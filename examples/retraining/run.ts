import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Runs a command, shows what it prints, and gives that and its exit code. */
export async function run(command: string, args: readonly string[]) {
  console.log(`$ ${[command, ...args].join(" ")}`);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    printed += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, printed };
}

/** Runs a command that must succeed. */
export async function must(command: string, args: readonly string[]): Promise<string> {
  const { code, printed } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}.`);
  return printed;
}

/** A server over the store. */
export async function startServer(
  env: Record<string, string>,
): Promise<{ stop: () => Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, ["server.ts"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("close", () => reject(new Error("The server did not start.")));
    child.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("http://localhost:")) resolve();
    });
  });
  return {
    async stop() {
      child.kill("SIGTERM");
      await once(child, "close");
    },
  };
}
