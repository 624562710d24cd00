import { Option, type Command } from "commander";
import { modelTypes } from "../types/model-types.ts";
import { modelsOfService, modelsOfStore } from "../types/released-models.ts";

interface Flags {
  key?: string;
}

/** `nearcast types <url or folder> > models.d.ts`. */
export function typesCommand(program: Command): void {
  program
    .command("types <from>")
    .description("types of the released models, for createClient<Models> of @nearcast/client")
    .addOption(new Option("--key <key>", "an API key for the deployment").env("NEARCAST_KEY"))
    .addHelpText(
      "after",
      "\n<from> is a deployment (https://…), a folder, or a bucket (s3://…, r2://…).",
    )
    .action(async (from: string, { key }: Flags) => {
      const models = /^https?:\/\//.test(from)
        ? await modelsOfService({ url: from, ...(key !== undefined && { key }) })
        : await modelsOfStore(from);
      if (models.length === 0)
        throw new Error(
          `${from} has no released model${key === undefined ? "" : " for this key"}.`,
        );
      process.stdout.write(modelTypes(models));
    });
}
