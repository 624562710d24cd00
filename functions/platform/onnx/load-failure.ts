import { plainReason } from "../../plain-reason.ts";

/** The oldest opset of ai.onnx whose operators ONNX Runtime still has. */
const OLDEST_OPSET = 7;
const NO_KERNEL = /Could not find an implementation for (\w+)\((\d+)\) node with name '([^']*)'/;

/** Whether ONNX Runtime refuses its own casts: without optimisation it puts wrong ones into some graphs of float16. */
export function refusesOwnCasts(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes("(InsertedPrecisionFreeCast_");
}

/**
 * Why ONNX Runtime does not load a model of this opset, and what to do. The text follows the model's name and a colon.
 */
export function loadReason(cause: unknown, opset = OLDEST_OPSET): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [, operator] = NO_KERNEL.exec(message) ?? [];
  if (opset < OLDEST_OPSET && operator !== undefined)
    return `opset ${opset} is too old for ONNX Runtime, which has no code any more for its operator ${operator}. Export the model with opset ${OLDEST_OPSET} or later.`;
  return knownReason(message) ?? `ONNX Runtime cannot load it. ${plainReason(message)}`;
}

/** The same for known messages of ONNX Runtime. Undefined for others. */
export function knownReason(message: string): string | undefined {
  for (const [pattern, explain] of REASONS) {
    const match = pattern.exec(message);
    if (match) return explain(...match.slice(1).map((part) => part ?? ""));
  }
  return undefined;
}

const STANDARD =
  "Nearcast runs the standard operators of ONNX (ai.onnx, ai.onnx.ml) and those of com.microsoft.";

/** Messages of ONNX Runtime, and what each means to the person who exported the model. */
const REASONS: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [
    /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    (has, most) =>
      `its IR version is ${has}, and ONNX Runtime reads versions up to ${most}. Save it with an older one, in Python: model = onnx.load("model.onnx"); model.ir_version = ${most}; onnx.save(model, "model.onnx")`,
  ],
  [
    /Opset (\d+) is under development .* support for domain (\S+) is till opset (\d+)/s,
    (has, domain, most) =>
      `it needs opset ${has} of ${domain}, and ONNX Runtime has opsets up to ${most}. Export it again with opset_version=${most} (PyTorch) or target_opset={"${domain === "ai.onnx" ? "" : domain}": ${most}} (skl2onnx).`,
  ],
  [
    /(?:Fatal error: )([^\s:]+):(\w+)\(-?\d+\) is not a registered function\/op/,
    (domain, operator) => unknownOperator(operator, domain),
  ],
  [
    /In Node, \("[^"]*", (\w+), .*No opset import for domain '([^']+)'/s,
    (operator, domain) => unknownOperator(operator, domain),
  ],
  [
    /No Op registered for (\w+) with domain_version of (\d+)/,
    (operator, opset) =>
      `it has the operator ${operator}, which opset ${opset} of ONNX does not have. Export it again with the opset that has it, or without this operator. ${STANDARD}`,
  ],
  [
    NO_KERNEL,
    (operator, opset, name) =>
      `ONNX Runtime has no code on a CPU for the operator ${operator} (opset ${opset}${name && `, node ${name}`}): not for this version of it, or not for the types that it has here. Export the model with a newer opset, or with float32 inputs and weights instead of rare types such as bfloat16 or int4.`,
  ],
  [
    /Type '(?:tensor\()?([\w()]+?)\)?' of input parameter \(([^)]*)\) of operator \((\w+)\)/,
    (type, input, operator) =>
      `its operator ${operator} gets ${type} (${input}), which it does not take. Export the model again; onnx.checker.check_model(path, full_check=True) finds such places.`,
  ],
  [
    /MLDataType for: (?:tensor\()?([\w()]+?)\)? is not currently registered/,
    (type) => unknownType(type),
  ],
  [/[Uu]nsupported data type: (\d+)/, (code) => unknownType(TYPES[code] ?? `the type ${code}`)],
  [
    /Failed to construct locale with name:([\w.@-]+)/,
    (locale) =>
      `its operator StringNormalizer wants the locale ${locale}, which this machine does not have, and a function may not have either. Export it with locale="C".`,
  ],
  [
    /External initializer: (\S+) offset: (\d+) size to read: (\d+) given file_length: (\d+)/,
    (name, offset, bytes, length) =>
      `its weights ${name} are ${bytes} bytes from byte ${offset} on, and their file ends at byte ${length}. Copy or download that file again.`,
  ],
  [
    /Node input '([^']*)' is not a graph input/,
    (name) =>
      `a node needs ${name}, which nothing in the graph makes. Export the model again; onnx.checker.check_model(path) finds such places.`,
  ],
  [
    /ORT model verification failed|Invalid ORT format model/,
    () => "it is not a whole file in ORT format. Copy or download it again.",
  ],
  [
    /The ORT format model version \[(\d+)\] is not supported in this build (\S+?)\.?\s*$/,
    (version, runtime) =>
      `it has version ${version} of the ORT format, which ONNX Runtime ${runtime} does not read. Make it again of the .onnx file with that version, or add the .onnx file.`,
  ],
  [/Protobuf parsing failed/, () => "it is not a whole ONNX file. Copy or download it again."],
];

/** Codes of TensorProto.DataType that ONNX Runtime's JavaScript does not take. */
const TYPES: Record<string, string> = {
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
  17: "float8",
  18: "float8",
  19: "float8",
  20: "float8",
  21: "uint4",
  22: "int4",
  23: "float4",
  24: "float8",
  25: "uint2",
  26: "int2",
};

function unknownOperator(operator = "", domain = ""): string {
  const whose =
    domain === "ai.onnx.contrib"
      ? `${domain}, which onnxruntime-extensions adds to Python. Export the model without its pre- and postprocessing steps.`
      : `${domain}, which is no domain of ONNX Runtime. Export the model without custom operators.`;
  return `it has the operator ${operator} of ${whose} ${STANDARD}`;
}

/** What to do about an input or output of a type that is none of the protocol's. */
export function unknownType(type = ""): string {
  return `an input or output is of ${type}, which no request can carry. Put a Cast to float32 there, and export the model again.`;
}
