import { LRUCache } from "lru-cache";
import type { CallOptions, CallRecord } from "./call.ts";
import { ANYONE } from "./auth/caller.ts";
import type { RegistryFor } from "./auth/access.ts";
import { invalidInput } from "./errors.ts";
import { prepare } from "./load/prepare.ts";
import type { Manifest, ManifestOf } from "./model/manifest.ts";
import type { ModelVersion } from "./model/registry.ts";
import { checkBatch } from "./predict.ts";
import { begin, recordCall, type PathServices } from "./record-call.ts";
import type { Parts } from "./tasks/define.ts";
import type { textOptions } from "./tasks/text/options.ts";
import type { Tokenizer, WorkOptions } from "./tasks/text/token-lists.ts";

/** A token of a text. Special tokens around the text have no place. */
export interface Token {
  id: number;
  /** The part of the text, or the name of a special token. */
  text: string;
  special: boolean;
  /** The first character, and one after the last. Counts Unicode characters. */
  start: number | null;
  stop: number | null;
}

export interface TokenizeCall extends CallOptions {
  texts: readonly unknown[];
  /** What the request calls the texts, for error messages. */
  member: string;
  /** Whether the tokens around a text are wanted too. */
  special: boolean;
  promptName?: string | undefined;
}

export interface DetokenizeCall extends CallOptions {
  /** Token ids of each text. */
  ids: readonly unknown[];
  member: string;
  skipsSpecial: boolean;
}

interface Answer<Made> {
  manifest: Manifest;
  made: Made[];
  answerBytes: number;
  record: CallRecord;
}

export type Tokenize = (call: TokenizeCall) => Promise<Answer<Token[]>>;
export type Detokenize = (call: DetokenizeCall) => Promise<Answer<string>>;

/** The most bytes of tokenizers that are kept, by the size of their files. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Turns texts into tokens and back, as the model's tokenizer does, without the model. Such a call costs as much as one
 * of the model, and no observer counts it. Rejects as the predict path does, and with `invalid_input` for a model
 * without a tokenizer of its own.
 */
export function createTokenize(services: PathServices & { registryFor: RegistryFor }) {
  const kept = new LRUCache<string, Tokenizer>({
    maxSize: MOST_KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });

  async function open(version: ModelVersion, caller = ANYONE): Promise<Tokenizer> {
    const { manifest } = version;
    const { text } = manifest as ManifestOf<typeof textOptions>;
    if (!text)
      throw invalidInput([{ path: "model", message: `${manifest.name} has no tokenizer` }]);
    const key = `${manifest.name}/${manifest.version} ${manifest.artifact.sha256}`;
    const known = kept.get(key);
    if (known) return known;
    const registry = services.registryFor(caller, "predict");
    const assets = new Map<string, Uint8Array>();
    for (const asset of manifest.assets ?? [])
      if ([text.tokenizer, text.tokenizerConfig].includes(asset.file))
        assets.set(asset.file, await registry.file(manifest, asset));
    const { openTokenLists } = await import("./tasks/text/token-lists.ts");
    const made = openTokenLists(text, assets);
    kept.set(key, made);
    return made;
  }

  function answer<Made>(
    call: CallOptions & { member: string },
    rows: readonly unknown[],
    work: (tokenizer: Tokenizer, options: WorkOptions) => Parts<Made[]>,
  ): Promise<Answer<Made>> {
    return recordCall({ ...services, tell: undefined }, "predict", call, async (ongoing) => {
      const { deadline, recording } = ongoing;
      const version = await begin(services, ongoing);
      const { manifest, limits } = version;
      const { name } = manifest;
      checkBatch(rows, limits.batch, call.member);
      recording.rows = rows.length;
      const paid = services.charge?.(recording, name);
      if (paid) await paid;
      const tokenizer = await recording.phases.time("load", () => open(version, call.caller));
      const options: WorkOptions = {
        limits,
        sentBytes: call.received?.sentBytes,
        tokens: 0,
        answerBytes: 0,
      };
      const made = await prepare(services.turns, recording.phases, deadline, () =>
        work(tokenizer, options),
      );
      recording.tokens = options.tokens;
      const owed = services.charge?.(recording, name);
      if (owed) await owed;
      return { manifest, made, answerBytes: options.answerBytes };
    });
  }

  const tokenize: Tokenize = (call) =>
    answer(call, call.texts, (tokenizer, options) => tokenizer.tokensOf(call, options));
  const detokenize: Detokenize = (call) =>
    answer(call, call.ids, (tokenizer, options) => tokenizer.textsOf(call, options));
  return { tokenize, detokenize };
}
