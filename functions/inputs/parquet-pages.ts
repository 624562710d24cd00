import { parquetHeader } from "hyparquet/src/column.js";
import type { RowGroup } from "hyparquet";
import { NearcastError } from "../errors.ts";
import type { Source } from "./source.ts";

/** Each cell has about so many bytes of a row group: 256 MiB have 20 million cells. */
const CELL_BYTES = 13.4;
const MOST_PAGE_BYTES = 64 * 1024 * 1024;

/** What to do about too large row groups. */
export const REMEDY = "Write it with smaller row groups, such as 100,000 rows";

/** The bytes of a row group, and where they begin. */
export interface GroupBytes {
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a row group, and checks all that its pages declare before any is decoded: a small file can declare pages that
 * fill the memory. Rejects with `malformed_request`.
 */
export async function readGroup(
  source: Source,
  group: RowGroup,
  mostBytes: number,
): Promise<GroupBytes> {
  const rows = Number(group.num_rows);
  if (rows * group.columns.length > mostBytes / CELL_BYTES)
    throw wrong(`has a row group of ${rows} rows, which is too large. ${REMEDY}`);
  const chunks = group.columns.map(({ meta_data: meta }) => {
    if (!meta) throw wrong("keeps columns in other files");
    if (meta.total_uncompressed_size > mostBytes)
      throw wrong(`has a row group of ${meta.total_uncompressed_size} bytes. ${REMEDY}`);
    const data = Number(meta.data_page_offset);
    const dictionary = Number(meta.dictionary_page_offset ?? 0);
    const start = dictionary > 0 ? Math.min(dictionary, data) : data;
    return { start, end: start + Number(meta.total_compressed_size) };
  });
  const start = Math.min(...chunks.map((chunk) => chunk.start));
  const end = Math.max(...chunks.map((chunk) => chunk.end));
  if (!(start >= 0 && end <= source.size && end >= start)) throw wrong("is cut off");
  if (end - start > mostBytes) throw wrong(`has a row group of ${end - start} bytes. ${REMEDY}`);
  const bytes = await source.slice(start, end);
  for (const chunk of chunks) {
    const place = { start: chunk.start - start, end: chunk.end - start };
    checkPages(bytes, place, rows, Math.min(MOST_PAGE_BYTES, mostBytes));
  }
  return { start, bytes };
}

function checkPages(
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
  rows: number,
  mostBytes: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const reader = { view, offset: 0 };
  let values = 0;
  while (reader.offset < view.byteLength) {
    const header = parquetHeader(reader);
    const {
      data_page_header: one,
      data_page_header_v2: two,
      dictionary_page_header: names,
    } = header;
    const declared = (one ?? two ?? names)?.num_values ?? 0;
    if (!(declared >= 0 && declared <= rows) || !(header.compressed_page_size >= 0))
      throw wrong("declares other numbers of values in its pages than rows");
    if (!(header.uncompressed_page_size >= 0 && header.uncompressed_page_size <= mostBytes))
      throw wrong(`has a page of more than ${mostBytes} bytes. ${REMEDY}`);
    // Each value may repeat all of the one before.
    if ((one ?? two)?.encoding === "DELTA_BYTE_ARRAY")
      throw wrong("has the encoding DELTA_BYTE_ARRAY, which is not read here");
    if (!names) values += declared;
    reader.offset += header.compressed_page_size;
  }
  if (values !== rows) throw wrong("declares other numbers of values in its pages than rows");
}

export function wrong(what: string): NearcastError {
  return new NearcastError("malformed_request", `The Parquet file ${what}.`);
}
