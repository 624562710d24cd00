import type { Command } from "commander";
export function evalCommand(_program: Command): void {}
