import type { Genes } from "./cost/genes.ts";
import type { Known } from "./cost/search.ts";

const GZIP = { coding: "gzip" } as const;
const PLAIN = { coding: "none" } as const;

/**
 * The costliest requests of up to 64 kB that were found, by the recipe that makes each. The cost fuzzer begins with them;
 * the tests send them.
 */
export const COSTLY_BODIES: readonly Known[] = [
  // A thousand columns, and a million rows without a cell.
  frame({ columns: 1000, rows: 1_000_000, width: 0, names: "different" }),
  frame({ columns: 18_000, rows: 1, width: 300_000, names: "numbers" }),
  frame({ form: "records", rows: 2000, width: 300, names: "different" }),
  json("v2 inputs", { shape: "list", unit: "zero", count: 1_000_000 }),
  json("v2 outputs", { shape: "list", unit: "emptyObject", count: 1_000_000 }),
  json("v2 outputs", { shape: "records", unit: "null", count: 759, width: 351 }),
  json("openai input", { shape: "list", unit: "zero", count: 1_000_000 }),
  json("openai body", { shape: "deepLists", unit: "emptyList", count: 466, width: 841 }),
  json("mlflow records", { shape: "list", unit: "emptyObject", count: 1_000_000 }),
  json("predict iris body", { shape: "lists", unit: "zero", count: 73_549, width: 29 }),
  json("predict iris body", { shape: "keys", unit: "zero", count: 25_000 }),
  // A file where columns belong: each byte was read as a member.
  json("POST /models/iris", {
    shape: "keys",
    unit: "proto",
    count: 17_185,
    type: "image/png",
  }),
  csv({ part: "empty lines", count: 6_000_000 }),
  csv({ part: "quotes", count: 6_000_000 }),
  binary({ model: "search", first: 1, second: 360_000, value: "1" }),
  binary({ model: "search", first: 360_000, second: 1, value: "1" }),
  binary({ model: "fp32", first: 1, second: 1_500_000, value: "0" }),
  { kind: "top_k of many rows", genes: { model: "retail", rows: 1000, topK: 500, ...GZIP } },
  { kind: "top_k of many rows", genes: { model: "retail", rows: 252, topK: 500, ...GZIP } },
  ...["all-minilm", "multilingual-e5", "modernbert-embed", "all-distilroberta", "search"].flatMap(
    (model) => [
      json(`predict ${model} inputs`, { shape: "text", character: "mark", count: 100_000 }),
      json(`predict ${model} inputs`, { shape: "text", character: "marks", count: 50_000 }),
      json(`predict ${model} inputs`, {
        shape: "texts",
        character: "marks",
        count: 20,
        width: 50_000,
      }),
      json(`predict ${model} inputs`, {
        shape: "texts",
        character: "rareWord",
        count: 10,
        width: 16_000,
      }),
    ],
  ),
  json("predict multilingual-e5 inputs", {
    shape: "texts",
    character: "softHyphen",
    count: 8,
    width: 40_000,
  }),
  json("predict modernbert-embed inputs", {
    shape: "texts",
    character: "digits",
    count: 225,
    width: 347,
  }),
  json("openai input", { shape: "texts", character: "dots", count: 13, width: 25_000 }),
  // As many characters as a request may have whatever its bytes.
  ...["ligature", "hangul", "mark", "underline"].flatMap((character) =>
    [5, 100].map((count) =>
      json("predict modernbert-embed inputs", {
        shape: "texts",
        character,
        count,
        width: 260_000 / count,
      }),
    ),
  ),
  json("predict albert-sst2 inputs", {
    shape: "texts",
    character: "word",
    count: 1000,
    width: 650,
  }),
  json("predict deberta-v3-nli inputs", {
    shape: "texts",
    character: "ligature",
    count: 130,
    width: 3333,
  }),
  json("predict albert-sst2 inputs", {
    shape: "texts",
    character: "ligature",
    count: 10,
    width: 1450,
  }),
  // As much as a compressed body may become.
  json("v2 inputs", { shape: "records", unit: "zero", count: 97_214, width: 1 }),
  json("mlflow frame columns", { shape: "keys", unit: "emptyList", count: 22_092 }),
  json("predict iris body", { shape: "lists", unit: "emptyObject", count: 10_123, width: 29 }),
  json("predict modernbert-embed inputs", { shape: "text", character: "escape", count: 100_000 }),
  csv({ part: "empty lines", count: 1_124_502, coding: "members" }),
  json("POST /v1/models/iris/predict", {
    shape: "texts",
    count: 1057,
    width: 823,
    type: "application/octet-stream",
  }),
  json("tei tokenize", { shape: "text", character: "dots", count: 11_000 }),
  json("predict ms-marco texts", { shape: "texts", character: "word", count: 1000, width: 120 }),
  json("predict ms-marco query", { shape: "text", character: "marks", count: 40_000 }),
  json("jina rerank", { shape: "texts", character: "space", count: 900, width: 800 }),
  json("predict nli-bert labels", { shape: "texts", character: "nul", count: 1, width: 80_000 }),
  json("predict qa-bert context", { shape: "text", character: "word", count: 12_000 }),
  json("predict mask-bert inputs", { shape: "texts", character: "special", count: 40, width: 60 }),
  json("predict mask-bert targets", {
    shape: "texts",
    character: "letter",
    count: 60_000,
    width: 1,
  }),
  json("predict ner-bert inputs", { shape: "texts", character: "word", count: 200, width: 300 }),
  wav({ frames: 450_000 }),
  wav({ rate: 11_025, frames: 320_000 }),
  wav({ bits: "64", rate: 8000, frames: 125_000 }),
  wav({ model: "whisper-audio", channels: 8, bits: "8", frames: 120_000 }),
  wav({ model: "ast-audio", frames: 400, times: 600 }),
  { kind: "JPEG", genes: { as: "raw", times: 1, width: 2000, height: 2000, scans: 40, ...PLAIN } },
  { kind: "JPEG", genes: { as: "raw", times: 1, width: 512, height: 512, scans: 200, ...GZIP } },
  oddJpeg({ components: "4", sampling: "12", progressive: "no", scans: 0 }),
  oddJpeg({
    components: "4",
    sampling: "12",
    progressive: "yes",
    scans: 9,
    width: 1180,
    height: 1180,
    restarts: 1,
  }),
  oddJpeg({ components: "3", sampling: "12", progressive: "yes", scans: 9 }),
  png({ width: 2049, height: 2049, colour: "grey", depth: "16", filter: "4" }),
  png({ width: 2049, height: 2049, colour: "alpha", depth: "16", filter: "4" }),
  png({ width: 2000, height: 2000, colour: "grey", inflated: 20_000_000 }),
  webp({ width: 2049, height: 2049, kind: "animated" }),
  webp({ width: 2049, height: 2049, kind: "transparent" }),
  webp({ width: 2049, height: 2049, kind: "plain" }),
  png({ width: 4000, height: 4000, colour: "alpha", depth: "8" }),
  png({ width: 4000, height: 4000, colour: "grey", depth: "1" }),
  png({ width: 2000, height: 3000, colour: "alpha", interlace: "yes", chunks: 900 }),
  {
    kind: "WebP",
    genes: { as: "raw", times: 1, width: 4000, height: 4000, lossless: "yes", ...PLAIN },
  },
  {
    kind: "WebP",
    genes: { as: "raw", times: 1, width: 4000, height: 4000, lossless: "no", ...GZIP },
  },
];

function binary(genes: Genes): Known {
  return { kind: "v2 tensors in binary", genes: { third: 1, answer: "json", ...GZIP, ...genes } };
}

function json(kind: string, genes: Genes): Known {
  const usual = { shape: "list", unit: "zero", character: "letter", count: 1, width: 1 };
  return { kind, genes: { ...usual, ...GZIP, ...genes } };
}

function frame(genes: Genes): Known {
  const usual = { model: "iris", columns: 4, rows: 1, width: 4, names: "known", cell: "0" };
  return {
    kind: "data frame of columns and rows",
    genes: { ...usual, form: "split", ...genes, ...GZIP },
  };
}

function csv(genes: Genes): Known {
  return { kind: "CSV with an odd part", genes: { model: "iris", ...GZIP, ...genes } };
}

function wav(genes: Genes): Known {
  const usual = { model: "wav2vec2-audio", rate: 16_000, bits: "16", channels: 1, times: 1 };
  return { kind: "WAV", genes: { ...usual, ...genes, ...GZIP } };
}

function webp(genes: Genes): Known {
  return { kind: "WebP", genes: { as: "raw", times: 1, lossless: "no", ...genes, ...GZIP } };
}

function oddJpeg(genes: Genes): Known {
  const usual = { as: "raw", times: 1, width: 2049, height: 2049, restarts: 0, profile: 0 };
  return { kind: "JPEG of any structure", genes: { ...usual, ...genes, ...GZIP } };
}

function png(genes: Genes): Known {
  const usual = { as: "raw", times: 1, depth: "8", interlace: "no", filter: "0", chunks: 0 };
  return { kind: "PNG", genes: { ...usual, ...genes, ...PLAIN } };
}
