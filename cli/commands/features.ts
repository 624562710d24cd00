import type { Command } from "commander";
import { parseDestination, writeFeatures, type WriteOptions } from "../features/destination.ts";
import { columnsOf, readFeatureTable } from "../features/table.ts";
import { modelsOption, withLocalOptions } from "../options.ts";
import { openPackage, parseReference } from "../package-folder.ts";

interface Flags extends WriteOptions {
  for: string;
  to: string;
  at: string;
  models: string;
}

/** `nearcast features load <table>`. */
export function featuresCommand(program: Command): void {
  const features = program
    .command("features")
    .description("the sources in which features are looked up");
  withLocalOptions(features.command("load <table>"))
    .description(
      "write a table (.csv, .jsonl or .parquet) to a source; of several rows of an entity the latest counts",
    )
    .requiredOption("--for <model>", "the model whose lookup says what the columns are")
    .requiredOption(
      "--to <source>",
      "name=place, like customers=redis://host:6379, or a name of FEATURE_SOURCES",
    )
    .option("--at <column>", "the column with the time of each row's event", "event_timestamp")
    .option(
      "--stage <name>",
      "for kv://, the environment of wrangler.toml that binds the namespace",
    )
    .addOption(modelsOption())
    .action(async (table: string, flags: Flags) => {
      const { manifest } = await openPackage(flags.models, parseReference(flags.for));
      const destination = parseDestination(flags.to, process.env);
      const rows = await readFeatureTable(table, columnsOf(manifest, flags.at));
      await writeFeatures(destination, rows, flags);
      const timeless = rows.filter(({ at }) => at === undefined).length;
      console.log(`${destination[0]} has the features of ${rows.length} entities.`);
      if (timeless > 0)
        console.log(
          `${timeless} of them do not say when their values were so (${flags.at}): a lookup with maxAgeSeconds does not use them.`,
        );
    });
}
