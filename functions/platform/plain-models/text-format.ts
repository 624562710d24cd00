/** A message in protobuf's text format: each field with its values, in order. */
export type TextMessage = Map<string, TextValue[]>;
export type TextValue = string | number | TextMessage;

const TOKEN = /\s+|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.+-]+|[[\]{}<>:,;]/y;

/**
 * Reads protobuf's text format, as Triton's `config.pbtxt` is written. Numbers are numbers; strings and names of enums are
 * strings. Throws an Error that names the line of a mistake.
 *
 * @example parseTextFormat("max_batch_size: 8").get("max_batch_size") // [8]
 */
export function parseTextFormat(text: string): TextMessage {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = () => tokens[at]?.text;
  const wrong = (): Error => {
    const token = tokens[at];
    return new Error(token ? `line ${token.line}: ${token.text} is out of place` : "it ends early");
  };
  const take = (expected: string): void => {
    if (peek() !== expected) throw wrong();
    at += 1;
  };

  function message(end: string | undefined): TextMessage {
    const fields: TextMessage = new Map();
    while (peek() !== end) {
      const name = peek();
      if (name === undefined || !/^[A-Za-z_]/.test(name)) throw wrong();
      at += 1;
      const hasColon = peek() === ":";
      if (hasColon) at += 1;
      const found = peek() === "[" ? values() : [value(hasColon)];
      fields.set(name, [...(fields.get(name) ?? []), ...found]);
      if (peek() === "," || peek() === ";") at += 1;
    }
    return fields;
  }

  function values(): TextValue[] {
    take("[");
    const found: TextValue[] = [];
    while (peek() !== "]") {
      if (found.length > 0) take(",");
      found.push(value(true));
    }
    take("]");
    return found;
  }

  function value(isScalarToo: boolean): TextValue {
    const open = peek();
    if (open === "{" || open === "<") {
      const close = open === "{" ? "}" : ">";
      at += 1;
      const found = message(close);
      take(close);
      return found;
    }
    if (!isScalarToo || open === undefined || !/^["'\w.+-]/.test(open)) throw wrong();
    at += 1;
    if (/^["']/.test(open)) return unquoted(open);
    return Number.isNaN(Number(open)) ? open : Number(open);
  }

  return message(undefined);
}

function tokensOf(text: string): { text: string; line: number }[] {
  const tokens: { text: string; line: number }[] = [];
  const pattern = new RegExp(TOKEN);
  let line = 1;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const token = pattern.exec(text)?.[0];
    if (token === undefined)
      throw new Error(`line ${line}: ${JSON.stringify(text[at])} is out of place`);
    if (!/^[\s#]/.test(token)) tokens.push({ text: token, line });
    line += token.split("\n").length - 1;
  }
  return tokens;
}

/** File names and names of models need no other escapes. */
function unquoted(token: string): string {
  return token.slice(1, -1).replaceAll(/\\(.)/g, "$1");
}
