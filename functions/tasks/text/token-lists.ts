import { invalidInput } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import { checkAnswerBytes } from "../../wire/answer-size.ts";
import type { Assets, Parts } from "../define.ts";
import { createTextBudget } from "../text-budget.ts";
import { characters } from "./aligned/characters.ts";
import { openAlignedTokenizer } from "./aligned/tokenizer.ts";
import { Effort } from "./effort.ts";
import { MOST_EXPANSION, promptOf } from "./inputs.ts";
import type { TextOptions } from "./options.ts";
import { textIssue } from "./problem.ts";

/** What the work may cost, and has cost. */
export interface WorkOptions {
  limits: Limits;
  sentBytes: number | undefined;
  /** Counted by the work. */
  tokens: number;
  answerBytes: number;
}

interface Texts {
  texts: readonly unknown[];
  member: string;
  special: boolean;
  promptName?: string | undefined;
}

interface Ids {
  ids: readonly unknown[];
  member: string;
  skipsSpecial: boolean;
}

export type Tokenizer = ReturnType<typeof openTokenLists>;

const TOKEN_BYTES = '{"id":100000,"text":"","special":false,"start":10000,"stop":10000},'.length;

/** Opens a tokenizer that lists the tokens of texts, and makes texts of them. Throws an Error as opening one does. */
export function openTokenLists(text: TextOptions, assets: Assets) {
  const tokenizer = openAlignedTokenizer(text, assets);
  let bytes = 1;
  for (const file of assets.values()) bytes += file.byteLength;

  return {
    /** The size of its files. */
    bytes,

    /** The tokens of whole texts, which are not cut. Works in parts. Throws `invalid_input` and `answer_too_large`. */
    *tokensOf({ texts, member, special, promptName }: Texts, options: WorkOptions) {
      const { limits, sentBytes } = options;
      const prompt = promptOf(text, promptName === undefined ? {} : { prompt_name: promptName });
      const issues = texts.flatMap((one, row) => textIssue(one, `${member}[${row}]`, limits));
      if (issues.length > 0) throw invalidInput(issues);
      const budget = createTextBudget(sentBytes, prompt.length * texts.length);
      const mostCharacters = limits.textLength * MOST_EXPANSION;
      const encoding = { maxLength: Infinity, mostCharacters, budget, effort: new Effort() };
      const lists = [];
      for (const [row, one] of (texts as readonly string[]).entries())
        try {
          const whole = prompt + one.toWellFormed();
          budget.takeCharacters(one.length);
          const [window] = yield* tokenizer.encode(whole, undefined, encoding);
          if (!window) throw new Error("a text has no window");
          const { input_ids: ids, starts, ends, sequences } = window;
          budget.takeTokens(ids.length);
          options.tokens += ids.length;
          options.answerBytes += ids.length * TOKEN_BYTES + whole.length;
          checkAnswerBytes(options.answerBytes, limits.answerBytes);
          const part = characters(whole);
          lists.push(
            ids.flatMap((id, at) => {
              const [start, stop] = [starts[at] ?? 0, ends[at] ?? 0];
              if (sequences[at] !== -1)
                return { id, text: part(start, stop), special: false, start, stop };
              const name = tokenizer.tokenOf(id);
              return special ? { id, text: name, special: true, start: null, stop: null } : [];
            }),
          );
        } catch (error) {
          throw refused(error, `${member}[${row}]`);
        }
      return lists;
    },

    /** The texts of token ids. Works in parts. Throws `invalid_input` and `answer_too_large`. */
    *textsOf({ ids, member, skipsSpecial }: Ids, options: WorkOptions): Parts<string[]> {
      const { limits, sentBytes } = options;
      const issues = ids.flatMap((one, row) => idsIssue(one, `${member}[${row}]`, limits));
      if (issues.length > 0) throw invalidInput(issues);
      const budget = createTextBudget(sentBytes);
      const effort = new Effort();
      const texts: string[] = [];
      for (const [row, one] of (ids as readonly number[][]).entries())
        try {
          if (effort.isDue(one.length)) yield;
          budget.takeTokens(one.length);
          options.tokens += one.length;
          for (const id of one) options.answerBytes += tokenizer.tokenOf(id).length + 1;
          checkAnswerBytes(options.answerBytes, limits.answerBytes);
          texts.push(tokenizer.decode(one, { skipsSpecial }));
        } catch (error) {
          throw refused(error, `${member}[${row}]`);
        }
      return texts;
    },
  };
}

function refused(error: unknown, path: string): unknown {
  return error instanceof RangeError ? invalidInput([{ path, message: error.message }]) : error;
}

/** What is wrong with token ids: at most one issue. */
function idsIssue(value: unknown, path: string, { textLength }: Limits) {
  if (!Array.isArray(value)) return [{ path, message: "must be an array of token ids" }];
  if (value.length > textLength)
    return [{ path, message: `must have at most ${textLength} tokens, has ${value.length}` }];
  const wrong = value.findIndex((id) => !Number.isSafeInteger(id) || id < 0);
  return wrong < 0 ? [] : [{ path: `${path}[${wrong}]`, message: "must be a whole number from 0" }];
}
