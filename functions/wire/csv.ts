/**
 * Rows of cells from CSV (RFC 4180): quoted cells may hold commas, line breaks and doubled quotes. Lines
 * without any text are skipped. Throws a RangeError for a quote that is never closed.
 */
export function parseCsv(text: string): string[][] {
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const rows: string[][] = [];
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const start = cell.lastIndex;
    const found = cell.exec(text);
    if (!found) throw new RangeError(`has a quote out of place at character ${start}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (found[3] === "," && cell.lastIndex < text.length) continue;
    if (found[3] === ",") row.push("");
    if (row.some((value) => value !== "")) rows.push(row);
    row = [];
  }
  return rows;
}
