#!/usr/bin/env node
import { run } from "./run.ts";

const exitCode = await run(process.argv.slice(2));
// A store that hangs must not keep the process alive, and a pipe must get all that was written.
process.stdout.write("", () => process.exit(exitCode));
