import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { withHeader, type Attack } from "../request.ts";
import type { Gene } from "./genes.ts";

export const CODING_GENES = {
  coding: ["none", "gzip", "gzip", "deflate", "raw", "members", "stored"],
} satisfies Record<string, Gene>;

/** More than any client sends, and as many as a body may have. */
const MEMBERS = 1000;

/** The request with its body in a content coding. Several members of gzip can be read like one. */
export function coded(attack: Attack, coding: string): Attack {
  const { body } = attack;
  if (!body || coding === "none") return attack;
  const bytes = CODERS[coding]?.(body) ?? body;
  const name = coding === "deflate" || coding === "raw" ? "deflate" : "gzip";
  return withHeader({ ...attack, body: bytes }, "Content-Encoding", name);
}

const CODERS: Record<string, (body: Buffer) => Buffer> = {
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  raw: (body) => deflateRawSync(body),
  stored: (body) => gzipSync(body, { level: 0 }),
  members: (body) => {
    const size = Math.max(1, Math.ceil(body.length / MEMBERS));
    const members: Buffer[] = [];
    for (let at = 0; at < body.length; at += size)
      members.push(gzipSync(body.subarray(at, at + size)));
    return Buffer.concat(members);
  },
};
