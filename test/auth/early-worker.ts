import { waitUntil } from "cloudflare:workers";
import { createTokenVerifier } from "../../functions/auth/tokens.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";

let verify: ReturnType<typeof createTokenVerifier> | undefined;

/** A Worker that says who has a token. At /early it answers without waiting for that. */
export default {
  async fetch(request: Request, { JWKS }: { JWKS: string }): Promise<Response> {
    verify ??= createTokenVerifier(
      { issuer: ISSUER, audience: AUDIENCE, jwksUrl: JWKS },
      { waitUntil, log: (entry) => console.log(entry) },
    );
    const caller = verify(await request.text());
    if (new URL(request.url).pathname === "/early") {
      caller.catch(() => undefined);
      return new Response("early");
    }
    return caller.then(
      ({ name }) => new Response(name),
      (error: unknown) => new Response(String(error), { status: 500 }),
    );
  },
};
