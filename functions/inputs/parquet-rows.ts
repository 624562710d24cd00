import type { ColumnData, FileMetaData } from "hyparquet";
import { parquetMetadataAsync, parquetSchema } from "hyparquet/src/metadata.js";
import { parquetRead } from "hyparquet/src/read.js";
import { gunzipSync } from "fflate";
import { invalidInput, NearcastError } from "../errors.ts";
import { rowMembers } from "../model/row-members.ts";
import { toBase64 } from "../wire/base64.ts";
import { isIndex } from "../wire/csv-header.ts";
import type { RowsModel } from "./csv.ts";
import { readGroup, REMEDY, wrong, type GroupBytes } from "./parquet-pages.ts";
import { MOST_GROUP_BYTES, type Row, type Rows, type RowsOptions } from "./row.ts";
import type { Source } from "./source.ts";

const MOST_METADATA_BYTES = 16 * 1024 * 1024;
/**
 * A few bytes can declare any number of rows. Beyond the first ones, the bytes of the file pay for them. Flags and rows
 * that come again and again have 8 to 50 rows in a byte.
 */
const [FREE_ROWS, MOST_ROWS_PER_BYTE] = [65_536, 64];
/** A column with so many is decoded in a tenth of a second, in one piece. */
const MOST_GROUP_ROWS = 1_048_576;
/** The magic number and the length of the metadata at the end, and the magic number at the beginning. */
const LEAST_BYTES = 12;

/** Codecs besides Snappy. The sizes of pages were checked. */
const compressors = {
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { out: new Uint8Array(length) }),
};

/**
 * Rows of Parquet: the model's features by name, or the only column of a model that has none. An index of pandas is
 * ignored. Decodes one row group at a time, and gives no rows after each of its columns: others have their turns then.
 */
export async function* parquetRows(
  source: Source,
  model: RowsModel,
  options: RowsOptions,
): AsyncGenerator<Rows> {
  const groupBytes = options.groupBytes ?? MOST_GROUP_BYTES;
  const metadata = await readMetadata(source, groupBytes);
  const columns = columnsOf(metadata, model);
  const isFeatures = model.manifest.features !== undefined;
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    let row = Math.max(options.from?.offset ?? 0, groupStart);
    if (row < groupEnd) {
      const next = { offset: row, line: row + 1 };
      const held = await known(() => readGroup(source, group, groupBytes));
      const pages = new Map<string, ColumnData[]>();
      for (const name of columns) {
        const place = { name, rowStart: groupStart, rowEnd: groupEnd, size: source.size };
        pages.set(name, await decodeColumn(held, metadata, place));
        yield { rows: [], next, share: row / Number(metadata.num_rows) };
      }
      while (row < groupEnd) {
        const end = Math.min(row + options.rows, groupEnd);
        const values = columns.map((name) => valuesOf(pages.get(name) ?? [], row, end));
        const rows: Row[] = [];
        for (let [index, bytes] = [0, 0]; index < end - row && bytes < options.bytes; index++) {
          const line = row + index + 1;
          const cells = columns.map((name, column) => {
            const cell = asJson(values[column]?.[index], options.lineBytes, { name, line });
            bytes += typeof cell === "string" ? cell.length : 8;
            return [name, cell] as const;
          });
          const members = cells.filter(([, cell]) => cell !== undefined);
          const input: unknown = isFeatures ? Object.fromEntries(members) : (cells[0]?.[1] ?? null);
          rows.push({ line, input });
        }
        row += rows.length;
        const next = { offset: row, line: row + 1 };
        yield { rows, next, share: row / Number(metadata.num_rows) };
      }
    }
    groupStart = groupEnd;
  }
}

async function readMetadata(source: Source, groupBytes: number): Promise<FileMetaData> {
  if (source.size < LEAST_BYTES) throw wrong("is too short");
  const tail = await source.slice(source.size - 8, source.size);
  if (new TextDecoder().decode(tail.subarray(4)) !== "PAR1") throw wrong("is no Parquet");
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  const most = Math.min(MOST_METADATA_BYTES, groupBytes / 8);
  if (length > most || length > source.size - LEAST_BYTES)
    throw wrong(`has ${length} bytes of metadata`);
  const metadata = await known(() => parquetMetadataAsync(bufferOf(source)));
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows !== metadata.num_rows) throw wrong("declares other numbers of rows in all and in parts");
  if (rows === 0n) throw wrong("has no row");
  if (metadata.row_groups.some((group) => group.num_rows > MOST_GROUP_ROWS))
    throw wrong(`has a row group of more than ${MOST_GROUP_ROWS} rows. ${REMEDY}`);
  if (rows > Math.max(FREE_ROWS, MOST_ROWS_PER_BYTE * source.size))
    throw wrong(
      `has ${rows} rows in ${source.size} bytes; more than ${FREE_ROWS} need a byte for each ${MOST_ROWS_PER_BYTE}: send CSV or JSONL`,
    );
  return metadata;
}

/** The columns to read. Throws `invalid_input` for one that the model does not take. */
function columnsOf(metadata: FileMetaData, { manifest }: RowsModel): string[] {
  const { children } = parquetSchema(metadata);
  const names = children.map(({ element }) => element.name);
  const wanted = manifest.features && rowMembers(manifest).map(({ name }) => name);
  const kept = names.filter((name) => !isIndex(name) && !/^__index_level_\d+__$/.test(name));
  const other = wanted && kept.find((name) => !wanted.includes(name));
  if (other !== undefined)
    throw invalidInput([
      {
        path: `column ${other}`,
        message: `is not a feature of this model: it takes ${wanted?.join(", ")}`,
      },
    ]);
  if (!wanted && kept.length !== 1)
    throw invalidInput([
      { path: "columns", message: `must be one, the model's input: there are ${kept.join(", ")}` },
    ]);
  for (const { element, children: nested } of children)
    if (
      kept.includes(element.name) &&
      (nested.length > 0 || element.repetition_type === "REPEATED")
    )
      throw invalidInput([{ path: `column ${element.name}`, message: "is not of single values" }]);
  return kept;
}

async function decodeColumn(
  held: GroupBytes,
  metadata: FileMetaData,
  {
    name,
    rowStart,
    rowEnd,
    size,
  }: { name: string; rowStart: number; rowEnd: number; size: number },
): Promise<ColumnData[]> {
  const pages: ColumnData[] = [];
  const file = {
    byteLength: size,
    slice: (start: number, end = size) =>
      held.bytes.slice(start - held.start, end - held.start).buffer,
  };
  await known(() =>
    parquetRead({
      file,
      metadata,
      columns: [name],
      rowStart,
      rowEnd,
      compressors,
      onChunk: (chunk) => void pages.push(chunk),
    }),
  );
  return pages;
}

/** The values of a column from one row up to another. */
function valuesOf(pages: readonly ColumnData[], start: number, end: number) {
  const values: unknown[] = Array.from({ length: end - start });
  for (const { columnData, rowStart, rowEnd } of pages) {
    const [first, last] = [Math.max(start, rowStart), Math.min(end, rowEnd)];
    for (let row = first; row < last; row++) values[row - start] = columnData[row - rowStart];
  }
  return values;
}

/** A value as JSON has it. Undefined where it is missing. A dictionary can name a long value in every row. */
function asJson(value: unknown, most: number, { name, line }: { name: string; line: number }) {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Date) return value.toISOString();
  if ((typeof value === "string" || value instanceof Uint8Array) && value.length > most)
    throw wrong(`has more than ${most} bytes in row ${line}, column ${name}`);
  return value instanceof Uint8Array ? toBase64(value) : value;
}

function bufferOf(source: Source) {
  const { size } = source;
  return {
    byteLength: size,
    slice: async (start: number, end = size) => (await source.slice(start, end)).slice().buffer,
  };
}

/** Everything that the decoder throws is about the file. */
async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof NearcastError) throw cause;
    throw new NearcastError(
      "malformed_request",
      `The Parquet file cannot be read: ${cause instanceof Error ? cause.message.replace(/^parquet /, "") : "unknown reason"}.`,
      { cause },
    );
  }
}
