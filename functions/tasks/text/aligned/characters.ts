/** Parts of a text by Unicode characters, as Python counts them. */
export function characters(text: string): (start: number, end: number) => string {
  if (!/[\ud800-\udbff]/.test(text)) return (start, end) => text.slice(start, end);
  const all = Array.from(text);
  return (start, end) => all.slice(start, end).join("");
}
