import type { Command } from "commander";
export function gateCommand(_program: Command): void {}
