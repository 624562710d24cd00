/** Numbers as they stand in JSON text, or nearly so. */
export const NUMBERS = [
  ...words(`
  -0 -0.0 1 -1 0.1 5e-324 2.2250738585072011e-308 1e308 -1e308 1e309 1e999 -1e999 3.4028235e38
  3.4028236e38 1e39 65504 65520 127 128 -129 255 256 32768 2147483647 2147483648 -2147483649
  4294967295 4294967296 9007199254740991 9007199254740993 -9007199254740993
  9223372036854775807 9223372036854775808 -9223372036854775809 18446744073709551615
  18446744073709551616 1e-400 1E+2 NaN Infinity -Infinity 01 1. .5 +1 0x10 1_000 1n undefined
  0`),
  `1${"0".repeat(400)}`,
];

export const STRINGS = [
  "",
  " ",
  "\0",
  "a\0b",
  "NaN",
  "Infinity",
  "-Infinity",
  "null",
  "1",
  "true",
  "setosa",
  "text",
  "\ud800",
  "\udfff\ud800",
  "a\udc00",
  "\uffff",
  "\u202e\u0000",
  "👩🏽‍🚀",
  "é",
  "e\u0301",
  "ﷺ",
  "İ",
  "ß",

  "../../etc/passwd",
  "%00",
  "<script>",
  "'; --",
  "${jndi:ldap://x}",
  "=1+1",
  "\r\nSet-Cookie: a=b",

  "data:image/png;base64,",
  "data:image/png;base64,AAAA",
  "data:,",
  "!!!!",
  "=",
  "AA=A",
  "iVBORw0KGgo=",

  "FP32",
  "BYTES",
  "INT64",
  "FP8",
  "__proto__",
  "constructor",
  "serving_default",
  "base64",
  "[UNK]",
];

export const KEYS = [
  ...words(`
  __proto__ constructor prototype toString hasOwnProperty then toJSON length inputs instances
  parameters data shape datatype name outputs b64 model top_k binary_data_size binary_data
  binary_data_output classification id input 0 -1 signature_name dataframe_split columns index
  params`),
  "",
  "\0",
  "\ud800",
];

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
