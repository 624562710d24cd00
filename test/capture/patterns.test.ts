import { expect, test } from "vitest";
import { redacted, type Pattern } from "../../functions/observe/capture/patterns.ts";

const ALL: readonly Pattern[] = ["number", "phone", "secret", "ip", "iban", "card", "email"];

const FOUND: Record<Pattern, readonly (readonly [text: string, left: string])[]> = {
  email: [
    ["write to ann.b+c@mail.example.org.", "write to [email]."],
    ["<Ann@EXAMPLE.co.uk>", "<[email]>"],
  ],
  phone: [
    ["call +49 (30) 123-4567 now", "call [phone] now"],
    ["call 0049 30 1234567", "call [phone]"],
    ["Tel.030/123456, (0171) 123 45 67", "Tel.[phone], [phone]"],
    ["+14155552671 or (415) 555-2671 or 415-555-2671", "[phone] or [phone] or [phone]"],
    ["+33 1 23 45 67 89; 01 23 45 67 89", "[phone]; [phone]"],
  ],
  card: [
    ["card 4111 1111 1111 1111 12/27, 123", "card [card] 12/27, 123"],
    ["5500-0000-0000-0004", "[card]"],
    ["371449635398431 and 6011000990139424", "[card] and [card]"],
    ["order 12345 4111 1111 1111 1111 12", "order 12345 [card] 12"],
  ],
  iban: [
    ["pay to DE89 3704 0044 0532 0130 00 THANK YOU", "pay to [iban] THANK YOU"],
    ["GB82WEST12345698765432.", "[iban]."],
    ["nl91 abna 0417 1643 00", "[iban]"],
    ["ab12 please pay now to FR14 2004 1010 0505 0001 3M02 606", "ab12 please pay now to [iban]"],
  ],
  ip: [
    ["from 192.168.1.20:8080, 10.0.0.1.", "from [ip]:8080, [ip]."],
    ["[2001:db8::8a2e:370:7334]:443 ::1", "[[ip]]:443 [ip]"],
    ["2001:0db8:0000:0000:0000:8a2e:0370:7334 and ::ffff:192.0.2.1", "[ip] and [ip]"],
  ],
  secret: [
    ["postgres://ann:s3cret@db.local/x", "postgres://[secret]@db.local/x"],
    [
      "https://a.example/?q=1&access_token=abc.def&z=2",
      "https://a.example/?q=1&access_token=[secret]&z=2",
    ],
    ['{"api_key": "0123abc", "n": 1}', '{"api_key": "[secret]", "n": 1}'],
    ["password: hunter2 and PWD=x", "password: [secret] and PWD=[secret]"],
    ["Authorization: Bearer abcdef0123456789==", "Authorization: Bearer [secret]"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[secret]"],
    [`AKIAIOSFODNN7EXAMPLE, ghp_${"a1".repeat(18)}`, "[secret], [secret]"],
  ],
  number: [
    ["+49 30 1234567 and 1234567", "[number] and [number]"],
    ["room 12, 123456", "room 12, 123456"],
  ],
};

test.each(Object.entries(FOUND))("%s", (kind, texts) => {
  for (const [text, left] of texts) expect(redacted(text, [kind as Pattern])).toBe(left);
});

test("what only looks like one is left", () => {
  const others = ALL.filter((kind) => kind !== "number");
  for (const text of [
    "on 01.02.2024 10:30, 2024-01-15, 01/02/2024 and 12:30:45",
    "4111 1111 1111 1112 is no card, DE88 3704 1144 1532 1130 11 no account",
    "version 1.2.3, 1.2.3.4.5, 999.1.1.1, std::vector, f(a)::begin",
    "3.14159265358979, 1,234,567 and 0.0123456789",
    "the token was lost; a bearer certificates basic understanding; order 4711 of 0815",
    "https://example.org/a@b and key words",
  ])
    expect(redacted(text, others)).toBe(text);
});

test("the order of the manifest's list changes nothing", () => {
  const text =
    "ann@example.org 4111 1111 1111 1111, ftp://u:p@192.0.2.1, DE89 3704 0044 0532 0130 00, 030 1234567, 7654321";
  const left = "[email] [card], ftp://[secret]@[ip], [iban], [phone], [number]";
  expect(redacted(text, ALL)).toBe(left);
  expect(redacted(text, ALL.toReversed())).toBe(left);
});

/** What expressions that try again and again need long for. */
const BAD = [
  "1", "1 ", "12 ", "4111 ", "a", "a.", "a@", "aa11", "aa11 ", "a b ", "(", "0 ", "+1", "(01", "00", ":", "::", "f:", "1.",
  "1.1.", "eyJ", "eyJ-", "eyJa.", "bearer ", "bearer a", "://", "a://", "token=", "token", "sk-", "A", "AKIA", "-", "\n",
]; // oxfmt-ignore
const LENGTH = 16_384;

test("bad texts take a time that grows with their length", () => {
  for (const part of BAD)
    for (const end of ["", "!", "@", "x.1"]) {
      const text = (length: number) => part.repeat(length / part.length) + end;
      const took = (length: number) => {
        const given = text(length);
        const began = performance.now();
        redacted(given, ALL);
        return performance.now() - began;
      };
      took(1000);
      // 16 times as much takes 256 times as long where it grows with the square. Short times cannot be told apart.
      const most = Math.max(60, took(LENGTH / 16) * 100);
      let long = took(LENGTH);
      for (let turn = 0; turn < 3 && long > most; turn++) long = Math.min(long, took(LENGTH));
      expect(long, JSON.stringify([part, end])).toBeLessThan(most);
    }
});
