import type { Command } from "commander";
import type { Accuracy } from "../../functions/observe/feedback/outcomes.ts";
import { askDeployment, withDeploymentOptions, type DeploymentFlags } from "../deployment.ts";
import { jsonOption, positiveInteger } from "../options.ts";
import { checkName } from "../package-folder.ts";

interface Flags extends DeploymentFlags {
  days: number;
  json?: true;
}

interface Answer {
  model: string;
  days: number;
  versions: (Accuracy & { version: string; released: boolean })[];
}

/** `nearcast accuracy <model> --url <deployment>`. */
export function accuracyCommand(program: Command): void {
  withDeploymentOptions(program.command("accuracy <model>"))
    .description("how right the released version and its candidates were, by feedback")
    .option("--days <number>", "1 to 30", positiveInteger, 7)
    .addOption(jsonOption())
    .action(async (model: string, { days, json, ...deployment }: Flags) => {
      checkName("model", model);
      const path = `/v1/models/${model}/accuracy?days=${days}`;
      const answer = (await askDeployment(deployment, path)) as Answer;
      console.log(json ? JSON.stringify(answer) : answer.versions.map(line(model)).join("\n"));
    });
}

const line =
  (model: string) =>
  ({ version, released, count, ...measures }: Answer["versions"][number]): string => {
    const { estimated_from: from, estimated_accuracy: estimate, ...known } = measures;
    const shown = Object.entries(known).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    const guess =
      estimate === undefined
        ? []
        : [`accuracy estimated from the scores of ${from} predictions ${estimate.toFixed(4)}`];
    const who = `${model}@${version}${released ? "" : " (candidate)"}`;
    return `${who}: ${[`${count} outcomes`, ...shown, ...guess].join(", ")}`;
  };
