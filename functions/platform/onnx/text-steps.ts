import { node, stringAttribute, type OnnxGraph, type OnnxNode } from "./model.ts";
import { patternOf, withoutFlag } from "./token-pattern.ts";
import { attributeOf, decode, textOf, viewOf, type GraphView } from "./view.ts";

/**
 * Changes how a graph splits texts and counts words: the same on all runtimes, and as scikit-learn does it. Gives a
 * sentence for each change. Throws an Error for a locale that only some machines have.
 */
export function rewriteTextSteps(graph: OnnxGraph): string[] {
  const view = viewOf(graph);
  return graph.node
    .slice()
    .flatMap((one) => [
      ...useCommonLocale(one),
      ...keepStopWords(view, one),
      ...splitAsScikitLearn(view, one),
      ...countAsScikitLearn(graph, view, one),
    ]);
}

/** Every runtime has it, on every machine. */
const LOCALE = "C.UTF-8";

/** StringNormalizer changes case by a locale of the machine. It is the same in all but a few languages. */
function useCommonLocale(one: OnnxNode): string[] {
  const action = textOf(one, "case_change_action") || "NONE";
  if (one.opType !== "StringNormalizer" || action === "NONE") return [];
  const locale = textOf(one, "locale") || "en_US";
  if (locale === LOCALE || locale === "C") return [];
  if (/^(az|lt|tr)/i.test(locale))
    throw new Error(
      `The graph changes the case of texts by the locale ${locale}, whose rules only machines with that locale have. Export the model without a change of case (lowercase=False), and change it before you ask.`,
    );
  const attribute = attributeOf(one, "locale");
  const s = new TextEncoder().encode(LOCALE);
  if (attribute) attribute.s = s;
  else one.attribute.push(stringAttribute("locale", s));
  return [
    `Its StringNormalizer changes case by the locale ${LOCALE}, which every machine has, and no longer by ${locale}.`,
  ];
}

/**
 * skl2onnx gives the stop words to an operator that gets whole texts. A text that is nothing but a stop word would
 * vanish, and its row of the answer with it. The words are in no vocabulary, so nothing counts them.
 */
function keepStopWords(view: GraphView, one: OnnxNode): string[] {
  const words = attributeOf(one, "stopwords");
  if (one.opType !== "StringNormalizer" || !words || vocabularyOf(view, one).length === 0)
    return [];
  one.attribute = one.attribute.filter((other) => other !== words);
  return [
    `Its StringNormalizer has no stop words any more: it took out texts that are nothing but one, which left fewer answers than texts.`,
  ];
}

/** What skl2onnx writes for scikit-learn's default token_pattern. */
const CONVERTED_PATTERN = "[a-zA-Z0-9_]+";
const DEFAULT_PATTERN = String.raw`\b\w\w+\b`;

/**
 * ONNX Runtime reads `\w` as ASCII, and Python as all of Unicode. skl2onnx writes the default token_pattern as one that
 * cuts words at é and keeps words of one letter, which breaks pairs of words. A vocabulary with such words had that
 * pattern itself.
 */
function splitAsScikitLearn(view: GraphView, one: OnnxNode): string[] {
  const attribute = attributeOf(one, "tokenexp");
  const words = attribute && one.opType === "Tokenizer" ? vocabularyOf(view, one) : [];
  if (!attribute || words.length === 0) return [];
  const written = decode(attribute.s);
  const isDefault = written === CONVERTED_PATTERN && words.every(({ length }) => length > 1);
  const pattern = patternOf(isDefault ? DEFAULT_PATTERN : written) ?? withoutFlag(written);
  if (pattern === written) return [];
  attribute.s = new TextEncoder().encode(pattern);
  const own = isDefault ? "default token_pattern" : "token_pattern";
  const before = isDefault ? `skl2onnx had written ${written}` : `it had ${written}`;
  return [
    `Its Tokenizer splits texts at ${pattern}, as scikit-learn's ${own} does; ${before}, which cuts words at letters such as é.`,
  ];
}

/** Why the graph would split texts otherwise than scikit-learn, and what to do. Undefined if it does not. */
export function knownTextMistake(view: GraphView): string | undefined {
  for (const one of view.graph.node.filter(({ opType }) => opType === "Tokenizer")) {
    const pattern = textOf(one, "tokenexp");
    if (pattern === "" || vocabularyOf(view, one).length === 0) continue;
    if (pattern === CHARACTER)
      return `The graph counts characters (analyzer="char"). scikit-learn first makes one space of several white spaces, and the graph does not: it answers otherwise for a text with a line end or two spaces. Train with analyzer="word". Or send texts without them, and add the model with --task tensor.`;
    if (patternOf(pattern) === undefined)
      return `The graph splits texts at the token_pattern ${pattern}, of which ONNX Runtime makes other words than Python: it knows no \\b beside letters such as é, takes the longest of several alternatives, and no group. Train with the default token_pattern, or with one without these, such as [a-zA-Z']+. Or add the model with --task tensor, as it is.`;
  }
  return undefined;
}

/** What skl2onnx writes for `analyzer="char"`. */
const CHARACTER = ".";

/**
 * With `sublinear_tf` scikit-learn takes 1 + log(n) for a word that is there n times. skl2onnx writes log(1 + n). As
 * sign(n) + log(max(n, 1)) it is scikit-learn's, also for no times.
 */
function countAsScikitLearn(graph: OnnxGraph, view: GraphView, one: OnnxNode): string[] {
  const sum = view.producerOf(one.input[0] ?? "");
  const [counts = ""] = sum?.input ?? [];
  const [result = ""] = one.output;
  if (one.opType !== "Log" || sum?.opType !== "Add" || !/^plus1logged\d*$/.test(result)) return [];
  if (!isCount(view, counts)) return [];
  sum.opType = "Max";
  const [logarithm, sign] = [`${result}_of_max`, `${result}_sign`];
  one.output = [logarithm];
  const added = [node("Sign", [counts], [sign]), node("Add", [sign, logarithm], [result])];
  graph.node.splice(graph.node.indexOf(one) + 1, 0, ...added);
  return [
    `It counts words as scikit-learn's sublinear_tf does, 1 + log(n); skl2onnx had written log(1 + n).`,
  ];
}

function isCount(view: GraphView, tensor: string): boolean {
  const maker = view.producerOf(tensor);
  if (maker?.opType === "Cast") return isCount(view, maker.input[0] ?? "");
  return maker?.opType === "TfIdfVectorizer";
}

/** The words that are counted in what an operator makes. */
function vocabularyOf(view: GraphView, maker: OnnxNode): string[] {
  return view.graph.node
    .filter(
      ({ opType, input }) =>
        opType === "TfIdfVectorizer" && view.comesFrom(input[0] ?? "", maker.output[0] ?? ""),
    )
    .flatMap((one) => attributeOf(one, "pool_strings")?.strings.map(decode) ?? []);
}
