import { Command, CommanderError } from "commander";
import { describeFailure, RowsWithoutAnswer } from "./failure.ts";

const COMMANDS = new Map<string | undefined, () => Promise<(program: Command) => void>>([
  ["init", async () => (await import("./commands/init.ts")).initCommand],
  ["dev", async () => (await import("./commands/dev.ts")).devCommand],
  ["add", async () => (await import("./commands/add.ts")).addCommand],
  ["convert", async () => (await import("./commands/convert.ts")).convertCommand],
  ["train", async () => (await import("./commands/train.ts")).trainCommand],
  ["verify", async () => (await import("./commands/verify.ts")).verifyCommand],
  ["optimize", async () => (await import("./commands/optimize.ts")).optimizeCommand],
  ["quantize", async () => (await import("./commands/quantize.ts")).quantizeCommand],
  ["cost", async () => (await import("./commands/cost.ts")).costCommand],
  ["sign", async () => (await import("./commands/sign.ts")).signCommand],
  ["push", async () => (await import("./commands/push.ts")).pushCommand],
  ["list", async () => (await import("./commands/list.ts")).listCommand],
  ["show", async () => (await import("./commands/show.ts")).showCommand],
  ["ship", async () => (await import("./commands/ship.ts")).shipCommand],
  ["smoke", async () => (await import("./commands/smoke.ts")).smokeCommand],
  ["release", async () => (await import("./commands/release.ts")).releaseCommand],
  ["rollback", async () => (await import("./commands/rollback.ts")).rollbackCommand],
  ["rollout", async () => (await import("./commands/rollout.ts")).rolloutCommand],
  ["status", async () => (await import("./commands/status.ts")).statusCommand],
  ["promote", async () => (await import("./commands/promote.ts")).promoteCommand],
  ["abort", async () => (await import("./commands/abort.ts")).abortCommand],
  ["history", async () => (await import("./commands/history.ts")).historyCommand],
  ["build", async () => (await import("./commands/build.ts")).buildCommand],
  ["types", async () => (await import("./commands/types.ts")).typesCommand],
  ["eval", async () => (await import("./commands/eval.ts")).evalCommand],
  ["batch", async () => (await import("./commands/batch.ts")).batchCommand],
  ["baseline", async () => (await import("./commands/baseline.ts")).baselineCommand],
  ["drift", async () => (await import("./commands/drift.ts")).driftCommand],
  ["feedback", async () => (await import("./commands/feedback.ts")).feedbackCommand],
  ["accuracy", async () => (await import("./commands/accuracy.ts")).accuracyCommand],
  ["dataset", async () => (await import("./commands/dataset.ts")).datasetCommand],
  ["forget", async () => (await import("./commands/forget.ts")).forgetCommand],
  ["features", async () => (await import("./commands/features.ts")).featuresCommand],
  ["gate", async () => (await import("./commands/gate.ts")).gateCommand],
  ["key", async () => (await import("./commands/key.ts")).keyCommand],
  ["preview", async () => (await import("./commands/preview.ts")).previewCommand],
  ["deploy", async () => (await import("./commands/deploy.ts")).deployCommand],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctorCommand],
]);

const USAGE = 2;
const ROWS_WITHOUT_ANSWER = 3;

/** Runs the command with these arguments, and gives the exit code of its process. */
export async function run(args: readonly string[]): Promise<number> {
  const program = new Command("nearcast")
    .description("From a trained model to an answering endpoint: add, verify, push, release.")
    // Options belong to the command before them: `rollout` and `rollout watch` have some of the same names.
    .enablePositionalOptions()
    .exitOverride();
  // Loading all commands takes several times as long as most of them run. Without a command, help names them all.
  const asked = COMMANDS.get(args[0]);
  for (const load of asked ? [asked] : COMMANDS.values()) (await load())(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // commander has printed its own message, and asks for exit code 0 after --help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    process.stderr.write(`nearcast: ${describeFailure(error)}\n`);
    return error instanceof RowsWithoutAnswer ? ROWS_WITHOUT_ANSWER : 1;
  }
}
