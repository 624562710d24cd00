#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { addCommand } from "./commands/add.ts";
import { buildCommand } from "./commands/build.ts";
import { deployCommand } from "./commands/deploy.ts";
import { devCommand } from "./commands/dev.ts";
import { evalCommand } from "./commands/eval.ts";
import { gateCommand } from "./commands/gate.ts";
import { historyCommand } from "./commands/history.ts";
import { initCommand } from "./commands/init.ts";
import { keyCommand } from "./commands/key.ts";
import { listCommand } from "./commands/list.ts";
import { optimizeCommand } from "./commands/optimize.ts";
import { pushCommand } from "./commands/push.ts";
import { quantizeCommand } from "./commands/quantize.ts";
import { releaseCommand } from "./commands/release.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { showCommand } from "./commands/show.ts";
import { signCommand } from "./commands/sign.ts";
import { verifyCommand } from "./commands/verify.ts";
import { describeFailure } from "./failure.ts";

const program = new Command("nearcast")
  .description("From a trained model to an answering endpoint: add, verify, push, release.")
  .exitOverride();

for (const register of [
  initCommand,
  devCommand,
  addCommand,
  verifyCommand,
  optimizeCommand,
  quantizeCommand,
  signCommand,
  pushCommand,
  listCommand,
  showCommand,
  releaseCommand,
  rollbackCommand,
  historyCommand,
  buildCommand,
  evalCommand,
  gateCommand,
  keyCommand,
  deployCommand,
])
  register(program);

const USAGE = 2;
let exitCode = 0;
try {
  await program.parseAsync();
} catch (error) {
  // commander has printed its own message, and asks for exit code 0 after --help.
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : USAGE;
  else {
    process.stderr.write(`nearcast: ${describeFailure(error)}\n`);
    exitCode = 1;
  }
}
// A store that hangs must not keep the process alive, and a pipe must get all that was written.
process.stdout.write("", () => process.exit(exitCode));
