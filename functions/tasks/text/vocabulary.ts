/** The texts of tokens by id. */
export function vocabularyOf(json: {
  model: { [option: string]: unknown };
  added_tokens: readonly { id: number; content: string }[];
}): string[] {
  const tokens: string[] = [];
  const { vocab } = json.model;
  if (Array.isArray(vocab))
    for (const [id, [token]] of (vocab as [string, number][]).entries()) tokens[id] = token;
  else
    for (const [token, id] of Object.entries(vocab as Record<string, number>)) tokens[id] = token;
  for (const { id, content } of json.added_tokens) tokens[id] = content;
  return tokens;
}
