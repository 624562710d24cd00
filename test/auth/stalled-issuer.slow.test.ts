import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";
import { signingKey, startIssuer, token } from "./issuer.ts";
import { bearer } from "./keys.ts";
import { PREDICT, prediction } from "./targets.ts";

/** The clock runs a hundred times as fast, so that keys are old after three seconds. jose's own dates stay right. */
const CLOCK = "const now = Date.now; Date.now = () => now() + 99 * performance.now();";
const OLD_MS = 3100;

// The clock of workerd cannot be moved. There, as on Node, an answer does not wait for work after it.
test.each([
  ["node", targets.node],
  ["lambda", targets.lambda],
] as const)(
  "on %s an issuer that stalls while its old keys are read again delays nobody who has one",
  async (_name, start) => {
    const first = await signingKey("first");
    const second = await signingKey("second");
    const issuer = await startIssuer(first);
    onTestFinished(issuer.close);
    const target = await start({
      env: {
        AUTH: "",
        JWT_ISSUER: ISSUER,
        JWT_AUDIENCE: AUDIENCE,
        JWT_JWKS_URL: issuer.jwksUrl,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`,
      },
    });
    onTestFinished(target.stop);
    const ask = async (key: typeof first, headers: Record<string, string> = {}) =>
      (await target.fetch(PREDICT, prediction({ ...bearer(await token(key)), ...headers }))).status;

    expect(await ask(first)).toBe(200);
    issuer.behave("stall");
    await sleep(OLD_MS);
    for (let times = 0; times < 3; times++) {
      const began = performance.now();
      expect(await ask(first, { "X-Request-Timeout-Ms": "500" })).toBe(200);
      expect(performance.now() - began).toBeLessThan(1000);
    }
    expect(issuer.requests()).toBe(2);

    // The issuer's answer comes while Lambda has frozen the process, and after the reading has timed out.
    issuer.publish(first, second);
    issuer.behave("ok");
    await sleep(4000);
    expect(await ask(second)).toBe(200);
  },
);
