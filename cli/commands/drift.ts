import type { Command } from "commander";
import type { DriftReport } from "../../functions/observe/drift/report.ts";
import { MOST_HOURS } from "../../functions/observe/drift/watch.ts";
import { askDeployment, withDeploymentOptions, type DeploymentFlags } from "../deployment.ts";
import { jsonOption, positiveInteger } from "../options.ts";
import { parseReference } from "../package-folder.ts";

interface Flags extends DeploymentFlags {
  hours: number;
  fail?: true;
  json?: true;
}

/** `nearcast drift <model[@version]> --url <deployment>`. */
export function driftCommand(program: Command): void {
  withDeploymentOptions(program.command("drift <model>"))
    .description("how the calls of the last hours differ from the training data")
    .option("--hours <number>", `1 to ${MOST_HOURS}`, positiveInteger, MOST_HOURS)
    .option("--fail", "exit with 1 if something has shifted")
    .addOption(jsonOption())
    .action(async (reference: string, { hours, fail, json, ...deployment }: Flags) => {
      const { name, version } = parseReference(reference);
      const path = `/v1/models/${name}${version === undefined ? "" : `/versions/${version}`}/drift`;
      const report = (await askDeployment(deployment, `${path}?hours=${hours}`)) as DriftReport;
      console.log(json ? JSON.stringify(report) : written(report));
      if (fail && report.drifted)
        throw new Error(`${report.model}@${report.version} has shifted from its training data.`);
    });
}

function written({ model, version, hours, drifted, quantities }: DriftReport): string {
  const rows = Math.max(0, ...quantities.map(({ count }) => count));
  const state = drifted ? "has shifted" : "has not shifted";
  return [
    `${model}@${version} ${state} from its training data (${rows} values in ${hours} h).`,
    ...quantities.map(({ summary, drifted: own }) => `${own ? "! " : "  "}${summary}`),
  ].join("\n");
}
