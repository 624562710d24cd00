import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pointerKind } from "../../functions/platform/onnx/file-kind.ts";

/** Pointers are shorter. A larger file is what its name says. */
const LONGEST_POINTER = 4096;
const MODEL = /\.(?:onnx|ort)$/;

/** Throws an Error for a folder that is not a complete export to ONNX. It says what the folder is and what to do. */
export async function checkFolder(folder: string, file?: string): Promise<void> {
  const names = [...(await namesIn(folder)), ...(file === undefined ? [] : [file])];
  const has = (name: string) => names.includes(name);
  await checkSettings(folder, names);
  const models = names.filter((name) => MODEL.test(name));
  if (has("saved_model.pb") && models.length === 0)
    throw new Error(
      `${folder} is a TensorFlow SavedModel. Convert it, and add the file: python -m tf2onnx.convert --saved-model ${folder} --output model.onnx`,
    );
  if (has("MLmodel") && !has("config.json"))
    throw new Error(
      models.length > 0
        ? `${folder} is a model of MLflow. Add the file that is in it: ${join(folder, models[0] ?? "")}`
        : `${folder} is a model of MLflow without an .onnx file. Log it as ONNX, with mlflow.onnx.log_model, or export it.`,
    );
  const weights = names.find((name) =>
    /^(?:model|pytorch_model).*\.(?:safetensors|bin)$/.test(name),
  );
  if (weights !== undefined && models.length === 0)
    throw new Error(
      `${folder} has weights (${weights}) and no .onnx file. Convert it: nearcast convert ${folder} --name …`,
    );
  if (has("config.json")) return;
  const [first] = models;
  throw new Error(
    first === undefined
      ? `${folder} has no config.json and no .onnx file. Give an .onnx file, or a folder that optimum-cli export onnx made.`
      : `${folder} has no config.json, so it is no Hugging Face export. Add the file itself: ${join(folder, first)}`,
  );
}

/** The files of the folder and of its `onnx/`, where exports keep their models. */
async function namesIn(folder: string): Promise<string[]> {
  const own = await readdir(folder);
  const below = await readdir(join(folder, "onnx")).catch(() => []);
  return [...own, ...below.map((name) => join("onnx", name))];
}

/** Checks only the model that is added, when it is read. The others need not be downloaded. */
async function checkSettings(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((one) => one.endsWith(".json"))) {
    const path = join(folder, name);
    const about = await stat(path).catch(() => undefined);
    if (!about?.isFile() || about.size > LONGEST_POINTER) continue;
    const kind = pointerKind(await readFile(path));
    if (kind) throw new Error(`${path} is ${kind.what}. ${kind.how}`);
  }
}
