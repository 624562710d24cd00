import { generateKeyPairSync, sign } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { MAX_SIGNATURES, signersOf } from "../../functions/model/signature.ts";

const manifest = new TextEncoder().encode('{"name":"iris"}');

function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
  return { key, line: `${key} ${sign(null, manifest, privateKey).toString("base64")}\n` };
}

afterEach(() => vi.restoreAllMocks());

test("of megabytes of signatures a few are looked at", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const [ours, theirs] = [signer(), signer()];
  const wrong = `${ours.key} ${theirs.line.split(" ")[1]}`;
  for (const many of [wrong, theirs.line, "no signature\n"]) {
    const file = many.repeat(20_000_000 / many.length) + ours.line;
    expect(await signersOf(manifest, file, [ours.key])).toEqual([]);
  }
  expect(verify.mock.calls.length).toBe(MAX_SIGNATURES);
});

test("a signature counts among as many as there may be, and those of keys that nobody asked for cost nothing", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const [ours, theirs] = [signer(), signer()];
  const file = theirs.line.repeat(MAX_SIGNATURES - 1) + ours.line;
  expect(await signersOf(manifest, file, [ours.key])).toEqual([ours.key]);
  expect(verify).toHaveBeenCalledTimes(1);
});
