import type { Command } from "commander";
export function optimizeCommand(_program: Command): void {}
