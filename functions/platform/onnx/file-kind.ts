import { unzipSync } from "fflate";
import {
  KERAS,
  SIGNATURES,
  SKLEARN,
  TENSORFLOW,
  TORCH,
  UNPACK,
  type FileKind,
} from "./file-signatures.ts";

/** How many bytes tell a kind of file. */
export const HEAD_BYTES = 4096;

/** What a file is by its bytes, if it is no ONNX model. Undefined if they do not tell. */
export function foreignKind(bytes: Uint8Array): FileKind | undefined {
  if (bytes.byteLength === 0)
    return { what: "empty: it has 0 bytes", how: "Copy or download it again." };
  const head = latin1(bytes.subarray(0, HEAD_BYTES));
  if (head.startsWith("PK\u0003\u0004")) return zipKind(bytes);
  if (isSafetensors(bytes, head))
    return {
      what: "a safetensors file: weights without the graph that computes with them",
      how: "Export the model that it belongs to: optimum-cli export onnx --model <its folder or name> <folder>. Then add that folder.",
    };
  const found = SIGNATURES.find(({ at = 0, magic }) =>
    magic instanceof RegExp
      ? magic.test(head)
      : [magic].flat().some((text) => head.startsWith(text, at)),
  );
  if (found) return { what: found.what, how: found.how };
  return pickleKind(head) ?? protobufKind(bytes, head);
}

/** Whether a file only names what was not downloaded, or is a web page that came instead. */
export function pointerKind(bytes: Uint8Array): FileKind | undefined {
  const kind = foreignKind(bytes);
  return kind && /pointer|HTML page/.test(kind.what) ? kind : undefined;
}

/** An eight-byte length, and then as much JSON. */
function isSafetensors(bytes: Uint8Array, head: string): boolean {
  if (bytes.byteLength < 10 || !/^\{\s*"|^\{\}/.test(head.slice(8))) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getBigUint64(0, true) < 100_000_000n;
}

function zipKind(bytes: Uint8Array): FileKind {
  const names: string[] = [];
  try {
    unzipSync(bytes, { filter: ({ name }) => names.push(name) === 0 });
  } catch {
    return { what: "a zip archive that ends too early", how: "Download it again, and unpack it." };
  }
  const has = (pattern: RegExp) => names.find((name) => pattern.test(name));
  if (has(/(^|\/)constants\.pkl$/)) return { what: "a TorchScript file of PyTorch", how: TORCH };
  if (has(/(^|\/)data\.pkl$/)) return { what: "a file of PyTorch (torch.save)", how: TORCH };
  if (has(/^model\.weights\.h5$/)) return { what: "a model of Keras", how: KERAS };
  if (has(/\.npy$/)) return { what: "an archive of NumPy arrays and no model", how: UNPACK };
  if (has(/^schema\.json$/)) return { what: "a model of skops", how: SKLEARN };
  const model = has(/\.(?:onnx|ort)$/);
  return {
    what: "a zip archive",
    how: model
      ? `Unpack it, and add the ${model} that is in it.`
      : "It holds no .onnx file: export the model to ONNX first.",
  };
}

/** Pickles begin with their protocol, the oldest with an operation. Compressed ones are joblib's. */
function pickleKind(head: string): FileKind | undefined {
  const protocol = head.startsWith("\u0080") ? head.charCodeAt(1) : 0;
  const isPickle = (protocol >= 2 && protocol <= 5) || /^\(?c[\w.]+\n/.test(head);
  const isCompressed = ["x\u0001", "x^", "x\u009c", "x\u00da"].some((text) =>
    head.startsWith(text),
  );
  if (!isPickle && !isCompressed) return undefined;
  const what = isPickle ? "a Python pickle" : "compressed with zlib, as joblib compresses pickles";
  if (/torch/.test(head)) return { what: `${what} of PyTorch`, how: TORCH };
  if (/sklearn/.test(head)) return { what: `${what} of scikit-learn`, how: SKLEARN };
  if (/xgboost|lightgbm|catboost/.test(head))
    return {
      what: `${what} of a boosting library`,
      how: 'Convert the model in Python with onnxmltools (XGBoost, LightGBM) or its own save_model(…, format="onnx") (CatBoost).',
    };
  return {
    what,
    how: `Load it in Python and export what is in it. Of scikit-learn: ${SKLEARN} Of PyTorch: ${TORCH}`,
  };
}

/** TensorFlow's protobufs: a SavedModel, or a graph whose nodes come first. */
function protobufKind(bytes: Uint8Array, head: string): FileKind | undefined {
  const tail = latin1(bytes.subarray(-HEAD_BYTES));
  if (
    head.startsWith("\b\u0001\u0012") &&
    /serving_default|saved_model|\bserve\b/.test(head + tail)
  )
    return { what: "a TensorFlow SavedModel", how: TENSORFLOW };
  if (/^\n..?.?.?\n[^]{1,200}(?:Placeholder|Const|VariableV2|VarHandleOp)/.test(head))
    return {
      what: "a frozen graph of TensorFlow",
      how: "Convert it: python -m tf2onnx.convert --graphdef <file> --inputs <name:0> --outputs <name:0> --output model.onnx",
    };
  return undefined;
}

/** What a file is, if all its bytes are text. */
export function textKind(bytes: Uint8Array): FileKind | undefined {
  if (/[^\s\u0020-\u00ff]/.test(latin1(bytes.subarray(0, HEAD_BYTES)))) return undefined;
  return { what: "a text file and no model", how: "Add the .onnx file of the model." };
}

/** One character for each byte. (A TextDecoder of that name reads Windows' code page instead.) */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
