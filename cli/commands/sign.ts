import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { modelsOption } from "../options.ts";
import { label, openPackage, parseReference } from "../package-folder.ts";
import { createKey, signPackage } from "../sign.ts";

interface Flags {
  models: string;
  key: string;
  createKey?: true;
}

/** `nearcast sign <model[@version]> --key <file>`. */
export function signCommand(program: Command): void {
  program
    .command("sign <model>")
    .description(
      "sign a version's manifest (Ed25519), and with it the digests of all its files, for deployments that trust only such versions",
    )
    .requiredOption("--key <file>", "private key, PKCS #8 PEM as OpenSSL writes it")
    .option("--create-key", "make the key first, in that file")
    .addOption(modelsOption())
    .action(async (model: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(model));
      if (flags.createKey) await createKey(flags.key);
      const publicKey = await signPackage(local, {
        pem: await readFile(flags.key, "utf8"),
        source: flags.key,
      });
      console.log(
        `${label(local.manifest)} is signed. Deployments trust it with TRUSTED_KEYS=${publicKey}`,
      );
    });
}
