import { Command } from "commander";

/** Runs another command as a part of this one. Rejects as it fails. */
export async function runAlone(
  register: (program: Command) => void,
  args: readonly string[],
): Promise<void> {
  const program = new Command("nearcast").exitOverride();
  register(program);
  await program.parseAsync(args, { from: "user" });
}
