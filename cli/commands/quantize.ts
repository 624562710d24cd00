import type { Command } from "commander";
export function quantizeCommand(_program: Command): void {}
