/**
 * The reference knows categories of characters from old versions of Unicode: those of BERT and of punctuation from 8,
 * those that StripAccents drops from 9. Characters that came later are neither marks nor punctuation there.
 */

const MARKS_AFTER_9 =
  "7fd 897-89f 8ca-8d3 9fe afa-aff b55 c04 c3c cf3 d00 d3b-d3c d81 eba ece 1715 180f 1abf-1add " +
  "1ae0-1aeb 1cf7 1df6-1dfa a82c a8ff 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10eff 10f46-10f50 " +
  "10f82-10f85 11070 11073-11074 110c2 11145-11146 111c9 111ce-111cf 11241 1133b 113b8-113c0 113c2 " +
  "113c5 113c7-113ca 113cc-113d0 113d2 113e1-113e2 1145e 1182c-1183a 11930-11935 11937-11938 " +
  "1193b-1193e 11940 11942-11943 119d1-119d7 119da-119e0 119e4 11a01-11a0a 11a33-11a39 11a3b-11a3e " +
  "11a47 11a51-11a5b 11a8a-11a99 11b60-11b67 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 " +
  "11d8a-11d8e 11d90-11d91 11d93-11d97 11ef3-11ef6 11f00-11f01 11f03 11f34-11f3a 11f3e-11f42 11f5a " +
  "13440 13447-13455 1611e-1612f 16f4f 16f7f-16f87 16fe4 16ff0-16ff1 1cf00-1cf2d 1cf30-1cf46 1e08f " +
  "1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5";

const MARKS_OF_9 =
  "8d4-8e1 1885-1886 1dfb a8c5 a9bd 1123e 11438-1143f 11442-11444 11446 11c30-11c36 11c38-11c3d " +
  "11c3f 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 1e000-1e006 1e008-1e018 1e01b-1e021 " +
  "1e023-1e024 1e026-1e02a 1e944-1e94a";

const PUNCTUATION_AFTER_8 =
  "61d 9fd a76 c77 c84 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d 10d6e 10ead 10ed0 10f55-10f59 " +
  "10f86-10f89 113d4-113d5 113d7-113d8 1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b " +
  "11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11b00-11b09 11be1 11c41-11c45 11c70-11c71 " +
  "11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 16d6d-16d6f 16e97-16e9a 16fe2 1e5ff 1e95e-1e95f";

/** What StripAccents drops. */
export const MARKS = expression("[\\p{M}\\u1cf2\\u1cf3]", MARKS_AFTER_9);
/** What BERT drops of accents. */
export const NONSPACING = expression("[\\p{Mn}\\u1734]", `${MARKS_AFTER_9} ${MARKS_OF_9}`);
/** What BERT drops when it cleans texts. */
export const CONTROLS = expression(
  "[\\ufffd\\p{Cc}\\p{Cf}\\p{Co}]",
  "9-a d 890-891 8e2 110cd 13430-1343f",
);

/** Finds a character of punctuation, as the source of a regular expression without the flag `v`. */
export const PUNCTUATION = `[\\p{P}\\u166d\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E](?<!${classOf(PUNCTUATION_AFTER_8)})`;

function expression(characters: string, without: string): RegExp {
  return new RegExp(`[${characters}--${classOf(without)}]`, "gv");
}

/** The class of characters in a list of ranges, in hexadecimal. */
function classOf(ranges: string): string {
  return `[${ranges.replaceAll(/[0-9a-f]+/g, "\\u{$&}").replaceAll(" ", "")}]`;
}
