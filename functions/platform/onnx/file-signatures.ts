/** A kind of file that is no ONNX model. */
export interface FileKind {
  /** As in "model.onnx is …". */
  what: string;
  /** What to do: a sentence or two, with a command where there is one. */
  how: string;
}

/** How a kind of file is recognised. */
interface Signature extends FileKind {
  /** The offset of the bytes below. */
  at?: number;
  /** The bytes there, as Latin-1: one of these texts, or a match of the pattern. */
  magic: string | readonly string[] | RegExp;
}

export const SKLEARN =
  "Export the estimator itself: skl2onnx.to_onnx(estimator, X[:1].astype(numpy.float32)), and write its SerializeToString() to a file.";
export const TORCH =
  'Load the module in Python and export it: torch.onnx.export(module, example_inputs, "model.onnx").';
export const KERAS =
  'Load it with keras.models.load_model and export it: model.export("model.onnx", format="onnx").';
export const TENSORFLOW =
  "Convert its folder: python -m tf2onnx.convert --saved-model <folder> --output model.onnx";
const DOWNLOAD =
  "Download the file itself: on Hugging Face and GitHub its address has /resolve/ or /raw/ in it, and private files need a token.";
export const UNPACK = "Unpack it and add the .onnx file that is in it.";

export const SIGNATURES: readonly Signature[] = [
  {
    magic: "version https://git-lfs.github.com/spec/",
    what: "a git-lfs pointer: it names a file that was not downloaded",
    how: "Fetch it in the clone that it is from: git lfs install && git lfs pull",
  },
  {
    magic: /^outs:\s*\n\s*- (?:md5|hash)/,
    what: "a DVC pointer: it names a file that was not downloaded",
    how: "Fetch it in the clone that it is from: dvc pull",
  },
  {
    magic: /^[\s\u00ef\u00bb\u00bf]*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head)\b/is,
    what: "an HTML page, as a site sends it to ask for a login or to say that something is wrong",
    how: DOWNLOAD,
  },
  {
    magic: /^[\s\u00ef\u00bb\u00bf]*(?:<\?xml[^>]*>\s*)?<PMML\b/,
    what: "a PMML model",
    how: "Export the trained model to ONNX instead, such as with skl2onnx.",
  },
  {
    magic: /^[\s\u00ef\u00bb\u00bf]*(?:<\?xml[^>]*>\s*)?<net\b/,
    what: "a model of OpenVINO",
    how: "Add the ONNX file that it was made of.",
  },
  {
    magic: /^[\s\u00ef\u00bb\u00bf]*(?:<\?xml[^>]*>\s*)?<Error>/,
    what: "an error message of a store in XML",
    how: "Open the file to read it, and download the model again with an address or a key that is right.",
  },
  { magic: /^[\s\u00ef\u00bb\u00bf]*<\?xml\b/, what: "an XML file", how: DOWNLOAD },
  {
    magic: /^\s*\{\s*"(?:learner|version)"\s*:/,
    what: "a model of XGBoost in JSON",
    how: "Convert it in Python: onnxmltools.convert_xgboost(model, initial_types=…), and write its SerializeToString() to a file.",
  },
  {
    magic: /^\s*[{[]\s*["{[\]}\d]/,
    what: "a JSON file",
    how: DOWNLOAD,
  },
  {
    magic: /^tree\r?\nversion=/,
    what: "a model of LightGBM in text",
    how: "Convert it in Python: onnxmltools.convert_lightgbm(model, initial_types=…), and write its SerializeToString() to a file.",
  },
  {
    magic: "CBM1",
    what: "a model of CatBoost",
    how: 'Load it in Python and export it: model.save_model("model.onnx", format="onnx").',
  },
  { magic: "\u0089HDF\r\n\u001a\n", what: "an HDF5 file, as Keras saves models", how: KERAS },
  {
    magic: "\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019",
    what: "a file of PyTorch (torch.save)",
    how: TORCH,
  },
  {
    magic: "GGUF",
    what: "a GGUF file: weights for llama.cpp",
    how: "Nothing makes ONNX of it. Export the model that it was made of: optimum-cli export onnx --model <name> <folder>",
  },
  {
    at: 4,
    magic: "TFL3",
    what: "a TensorFlow Lite model",
    how: "Convert it: python -m tf2onnx.convert --tflite model.tflite --output model.onnx",
  },
  {
    magic: "\u0093NUMPY",
    what: "a NumPy array and no model",
    how: "Add the .onnx file of the model.",
  },
  {
    magic: ["\u0089PNG", "\u00ff\u00d8\u00ff", "GIF8"],
    what: "a picture and no model",
    how: "Add the .onnx file of the model.",
  },
  {
    magic: ["PAR1", "SQLite format 3"],
    what: "a file with data and no model",
    how: "Add the .onnx file of the model.",
  },
  {
    magic: ["\u007fELF", "MZ", "\u00cf\u00fa\u00ed\u00fe"],
    what: "a program or a library and no model",
    how: "Add the .onnx file of the model.",
  },
  {
    magic: "\u001f\u008b",
    what: "compressed with gzip",
    how: `Unpack it: gunzip, or tar xzf for a .tar.gz. ${UNPACK}`,
  },
  { magic: "BZh", what: "compressed with bzip2", how: UNPACK },
  { magic: "\u00fd7zXZ", what: "compressed with xz", how: UNPACK },
  { magic: "(\u00b5/\u00fd", what: "compressed with zstd", how: UNPACK },
  { magic: ["7z\u00bc\u00af", "Rar!"], what: "an archive", how: UNPACK },
  { at: 257, magic: "ustar", what: "a tar archive", how: UNPACK },
  { magic: "PK\u0005\u0006", what: "an empty zip archive", how: UNPACK },
];
