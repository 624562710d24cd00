import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readTokenizer } from "../../cli/add/hugging-face-tokenizer.ts";
import type { Assets } from "../../functions/tasks/define.ts";
import { fixture } from "./service.ts";

/** What Python made of the texts: four hexadecimal digits of the sha256 of its JSON, for each text or for every nth. */
export interface Recorded {
  /** The tensors of a pair that is padded to `pairMaxLength`. */
  inputs: ("input_ids" | "attention_mask" | "token_type_ids")[];
  whole: string;
  cut: string;
  pairs: string;
  /** A text and a pair, each cut on the side where the tokenizer does not cut by itself. */
  otherSide: string;
  places: string;
}

export const recorded = JSON.parse(
  Buffer.from(await fixture("forty-scripts/recorded.json")).toString(),
) as {
  maxLength: number;
  pairMaxLength: number;
  every: number;
  kinds: Record<string, Recorded>;
};

export const texts = JSON.parse((await unpacked("texts.json")).toString()) as string[];

/** The files of a tokenizer, with the configuration as `nearcast add` reads it. */
export async function assetsOf(kind: string): Promise<Assets> {
  let json = (await unpacked(`${kind}/tokenizer.json`)).toString();
  for (const name of ["nmt_nfkc", "nmt_nfkc_cf"]) {
    const map = (await unpacked(`${name}.bin`)).toString("base64");
    json = json.replace(
      `"precompiled_charsmap":"${name}"`,
      () => `"precompiled_charsmap":"${map}"`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "nearcast-tokenizer-"));
  await writeFile(join(folder, "tokenizer.json"), json);
  const own = await fixture(`forty-scripts/${kind}/tokenizer_config.json`);
  await writeFile(join(folder, "tokenizer_config.json"), own);
  const { config, path } = await readTokenizer(folder, {});
  const assets = new Map([
    ["tokenizer.json", await readFile(path)],
    ["tokenizer_config.json", Buffer.from(JSON.stringify(config))],
  ]);
  await rm(folder, { recursive: true });
  return assets;
}

/** The manifest's part that names the files. */
export function optionsFor(maxLength: number) {
  return { tokenizer: "tokenizer.json", tokenizerConfig: "tokenizer_config.json", maxLength };
}

async function unpacked(path: string): Promise<Buffer> {
  return gunzipSync(await fixture(`forty-scripts/${path}.gz`));
}
