import type { Command } from "commander";
export function addCommand(_program: Command): void {}
