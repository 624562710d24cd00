import type { Command } from "commander";
import { packageFiles, type Manifest } from "../../functions/model/manifest.ts";
import { readRelease } from "../../functions/model/release.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { jsonOption, withStoreOptions, type StoreFlags } from "../options.ts";
import { label, parseReference } from "../package-folder.ts";
import { readManifest } from "../stored-manifest.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  json?: true;
}

/** `nearcast show <model[@version]>`. */
export function showCommand(program: Command): void {
  withStoreOptions(program.command("show <model>"))
    .description(
      "one version of a store, given as name or name@version (default: the released one)",
    )
    .addOption(jsonOption())
    .action(async (reference: string, flags: Flags) => {
      const { name, version } = parseReference(reference);
      await withStore(flags.store, flags, async (store) => {
        const released = (await readRelease(store, name))?.release.stable;
        const versions = (await storedVersions(store, name)).get(name) ?? [];
        const wanted = version ?? released ?? versions.at(-1);
        const manifest = wanted && (await readManifest(store, name, wanted));
        if (!manifest) {
          const has = versions.length > 0 ? `; it has ${versions.join(", ")}` : "";
          throw new Error(`${flags.store} has no ${wanted ? `${name}@${wanted}` : name}${has}.`);
        }
        const about = { ...manifest, versions, released: released ?? null };
        console.log(flags.json ? JSON.stringify(about) : describe(manifest, released, versions));
      });
    });
}

function describe(manifest: Manifest, released: string | undefined, versions: string[]): string {
  return [
    `${label(manifest)}  ${manifest.task}`,
    manifest.description,
    `  released  ${released ?? "no version"}`,
    `  versions  ${versions.join(", ")}`,
    `  inputs    ${tensors(manifest.inputs)}`,
    `  outputs   ${tensors(manifest.outputs)}`,
    ...(manifest.labels ? [`  labels    ${manifest.labels.join(", ")}`] : []),
    ...packageFiles(manifest).map(
      ({ file, bytes, sha256 }) => `  file      ${file}  ${bytes} bytes  sha256 ${sha256}`,
    ),
    ...manifest.metrics.map(
      ({ name, value, dataset }) => `  metric    ${name} ${value.toFixed(4)}  ${dataset}`,
    ),
  ].join("\n");
}

function tensors(infos: Manifest["inputs"]): string {
  return infos
    .map(({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(", ")}]`)
    .join(", ");
}
