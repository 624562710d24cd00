import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** What a trained model was saved as. */
export type SourceKind =
  | "skops"
  | "pickle"
  | "xgboost"
  | "lightgbm"
  | "catboost"
  | "torch"
  | "hugging-face"
  | "keras"
  | "saved-model";

const HEAD_BYTES = 512;

/** The first bytes of joblib's compressions: zlib, gzip, bz2, xz, lzma, lz4. */
const COMPRESSED = /^(78(01|5e|9c|da)|1f8b|425a68|fd377a585a|5d0000|04224d18)/;
/** Protocols 2 to 5, or older ones, which are text: a global `c…`, or a mark `(`. */
const PICKLED = /^(800[2-5]|28|63[0-9a-f]{2,}?0a)/;

/** Tells by its first bytes how a model was saved, and loads nothing. Throws an Error with what to do for other files. */
export async function sourceKind(path: string): Promise<SourceKind> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Error(`There is nothing at ${path}.`);
  if (found.isDirectory()) return folderKind(path);
  const head = await readHead(path);
  if (head.startsWith("PK")) {
    if (path.endsWith(".pt2")) return "torch";
    if (path.endsWith(".keras")) return "keras";
    if (head.includes("schema.json") || path.endsWith(".skops")) return "skops";
    throw new Error(adviceForZip(path, head));
  }
  const bytes = Buffer.from(head, "latin1").toString("hex");
  if (COMPRESSED.test(bytes) || PICKLED.test(bytes)) return "pickle";
  const boosted = boostedKind(head);
  if (boosted) return boosted;
  throw new Error(adviceForFile(path, head));
}

/** The own formats of boosted trees: XGBoost's JSON and UBJSON, LightGBM's text, CatBoost's `.cbm`. */
function boostedKind(head: string): SourceKind | undefined {
  if (head.startsWith("{") && head.includes("learner")) return "xgboost";
  if (head.startsWith("tree\n")) return "lightgbm";
  return head.startsWith("CBM1") ? "catboost" : undefined;
}

async function readHead(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function folderKind(path: string): Promise<SourceKind> {
  const names = await readdir(path);
  if (names.includes("saved_model.pb")) return "saved-model";
  const isExport = names.some((name) => name === "onnx" || name.endsWith(".onnx"));
  const hasWeights = names.some((name) => isSafe(name) || isPickled(name));
  if (names.includes("config.json") && hasWeights) return "hugging-face";
  if (isExport) throw new Error(`${path} has ONNX already: nearcast add ${path} --name …`);
  throw new Error(
    `${path} is a folder without a model that convert knows. A folder of Hugging Face has config.json and model.safetensors, TensorFlow's SavedModel has saved_model.pb; a module of PyTorch is named with --module.`,
  );
}

/** Why loading a folder of Hugging Face may run code. Undefined where it does not. */
export async function codeOf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  if (!names.some(isSafe)) {
    const pickled = names.find(isPickled);
    return `${pickled} is a pickle. Without code the weights are saved by transformers: model.save_pretrained(folder)`;
  }
  for (const name of names.filter((one) => one.endsWith("config.json")))
    if ((await readFile(join(folder, name), "utf8")).includes('"auto_map"'))
      return `${name} names code of its own ("auto_map")`;
  return undefined;
}

function isSafe(name: string): boolean {
  return /^model.*\.safetensors$/.test(name);
}

function isPickled(name: string): boolean {
  return /^pytorch_model.*\.bin$/.test(name);
}

function adviceForZip(path: string, head: string): string {
  if (/\.(pt|pth|ckpt)$/.test(path) || head.includes("data.pkl"))
    return `${path} holds weights of PyTorch, or a pickle of a module. Name the module that the weights are of: --module package.module:Name. Or save the whole model where it was trained: torch.export.save(torch.export.export(model, (example,)), "model.pt2")`;
  return `${path} is a zip file without a model that convert knows.`;
}

function adviceForFile(path: string, head: string): string {
  if (path.endsWith(".onnx") || path.endsWith(".ort"))
    return `${path} is ONNX already: nearcast add ${path} --name …`;
  if (head.startsWith("\x89HDF"))
    return `${path} is a model of Keras 2 (HDF5), which convert does not take. Load it with Keras 3, and save it as it does today: model.save("model.keras")`;
  return `${path} is no model that convert knows. It takes scikit-learn's skops, joblib and pickle, XGBoost's .json and .ubj, LightGBM's text, CatBoost's .cbm, PyTorch's .pt2, Keras 3's .keras, and folders of Hugging Face and of TensorFlow's SavedModel.`;
}
