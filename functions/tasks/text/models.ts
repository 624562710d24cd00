import { bytePairs } from "./byte-pairs.ts";
import { unigram } from "./unigram.ts";
import { wordPiece } from "./word-piece.ts";
import type { WordModel } from "./word-model.ts";

const MODELS = { WordPiece: wordPiece, BPE: bytePairs, Unigram: unigram } as const;

/** Opens the model of a `tokenizer.json`. */
export function openModel(json: { type: keyof typeof MODELS }): WordModel {
  return MODELS[json.type](json);
}
