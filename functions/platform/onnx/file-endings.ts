import { KERAS, TENSORFLOW, TORCH, type FileKind } from "./file-signatures.ts";

const ANOTHER = "Export the model that it was made of to ONNX.";

/** Kinds of files by the ending of the name. Their bytes have no mark, or one of many. */
const ENDINGS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.(?:mlmodel|mlpackage)$/, { what: "a Core ML model", how: ANOTHER }],
  [
    /\.(?:pdmodel|pdiparams)$/,
    {
      what: "a PaddlePaddle model",
      how: "Convert it: paddle2onnx --model_dir <folder> --model_filename inference.pdmodel --params_filename inference.pdiparams --save_file model.onnx",
    },
  ],
  [
    /\.(?:engine|plan|trt)$/,
    { what: "an engine of TensorRT, which is made for one kind of GPU", how: ANOTHER },
  ],
  [/\.(?:caffemodel|prototxt)$/, { what: "a Caffe model", how: ANOTHER }],
  [/\.(?:weights|cfg)$/, { what: "a Darknet model", how: ANOTHER }],
  [/\.(?:params|rknn|ncnn|param|mnn)$/, { what: "a model of another runtime", how: ANOTHER }],
  [/\.ckpt(?:\..+)?$/, { what: "a checkpoint of a training", how: `${TORCH} ${TENSORFLOW}` }],
  [/\.(?:pt|pth)$/, { what: "a file of PyTorch", how: TORCH }],
  [/\.(?:h5|keras)$/, { what: "a model of Keras", how: KERAS }],
  [
    /\.(?:pb|pbtxt)$/,
    {
      what: "a protobuf without a graph of ONNX",
      how: `Add the .onnx file of the model. A model of TensorFlow is converted first. ${TENSORFLOW}`,
    },
  ],
  [
    /(?:\.onnx_data|\.onnx\.data|\.data|\.bin)$/,
    {
      what: "a file of weights without the graph that computes with them",
      how: "Add the .onnx file that it belongs to; its weights come along.",
    },
  ],
];

/** What a file is by its name. For files that are no ONNX model and whose bytes do not tell. */
export function kindByName(path: string): FileKind | undefined {
  return ENDINGS.find(([ending]) => ending.test(path.toLowerCase()))?.[1];
}
