/** A Dockerfile's stage: what it begins with, and its instructions in order. */
export interface Stage {
  name: string | undefined;
  from: string;
  platform: string | undefined;
  steps: { instruction: string; text: string }[];
}

/** Reads a Dockerfile. Continued lines are joined as Docker joins them, and comments are left out. */
export function readDockerfile(text: string): Stage[] {
  const joined = text.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n/g, " ");
  const stages: Stage[] = [];
  for (const line of joined.split("\n").filter((one) => one.trim() !== "")) {
    const [, instruction = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (instruction !== "FROM") {
      stages.at(-1)?.steps.push({ instruction, text: rest.replaceAll(/\s+/g, " ") });
      continue;
    }
    const [, platform, from = "", name] =
      /^(?:--platform=(\S+)\s+)?(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
    stages.push({ name, from, platform, steps: [] });
  }
  return stages;
}

/** The texts of an instruction in a stage. */
export function textsOf({ steps }: Stage, instruction: string): string[] {
  return steps.filter((step) => step.instruction === instruction).map(({ text }) => text);
}

/** Of an instruction in exec form: the command and its arguments. */
export function execOf(stage: Stage, instruction: "ENTRYPOINT" | "HEALTHCHECK"): string[] {
  const [text = ""] = textsOf(stage, instruction);
  return JSON.parse(text.slice(text.indexOf("["))) as string[];
}

/** The variables that a stage sets. */
export function variablesOf(stage: Stage): Record<string, string> {
  const pairs = textsOf(stage, "ENV").flatMap((text) => text.split(" "));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}
