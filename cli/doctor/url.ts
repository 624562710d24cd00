import { findingsAt, type Finding } from "./finding.ts";
import { isOpen } from "./settings.ts";

const TIMEOUT_MS = 10_000;
/** Tokens are refused when clocks differ by more. */
const SKEW_MS = 30_000;
const PAGE = "https://doctor.example";

/** What a deployment says of itself, to compare it with others. */
export interface Sight {
  url: string;
  findings: Finding[];
  /** Nearcast's version. Undefined when it was not told. */
  version?: string;
  /** Released models, as `name@version`. */
  models?: string;
}

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Looks at a running deployment from outside: without a key, and with one where it is given. */
export async function lookAt(given: string, key: string | undefined): Promise<Sight> {
  const url = given.replace(/\/+$/, "");
  const { wrong, unwise, note } = findingsAt(url);
  const findings: Finding[] = [];
  const ask = (path: string, headers?: Record<string, string>, method = "GET") =>
    askFor(`${url}${path}`, { method, ...(headers && { headers }) });
  if (isOpen(url))
    findings.push(
      wrong(
        "No TLS: keys and inputs can be read on the way.",
        "Put TLS before it, and use https://.",
      ),
    );
  const before = Date.now();
  const health = await ask("/health");
  if (typeof health === "string") {
    findings.push(wrong(`It cannot be reached: ${health}`, "Correct the URL, or start it."));
    return { url, findings };
  }
  if (health.status !== 200 || (health.body as { status?: string } | undefined)?.status !== "ok") {
    findings.push(
      wrong(
        `/health answers ${health.status}: this is no service of Nearcast.`,
        "Correct the URL.",
      ),
    );
    return { url, findings };
  }
  findings.push(...checkClock(health.headers.get("date"), (before + Date.now()) / 2, url));
  findings.push(...checkReady(await ask("/ready"), url));
  const stranger = await ask("/v1/models");
  const open = typeof stranger !== "string" && stranger.status === 200;
  const hasNoKeys =
    typeof stranger !== "string" && codeOf(stranger) === "authentication_not_configured";
  if (hasNoKeys)
    findings.push(
      wrong(
        "It has no keys, and answers nothing but health.",
        "npx nearcast key --name web makes a key and its entry for API_KEYS.",
      ),
    );
  if (open && !isHere(url))
    findings.push(
      unwise(
        "Everyone may ask: AUTH=none.",
        "npx nearcast key --name web makes a key and its entry.",
      ),
    );
  const metrics = await ask("/metrics");
  if (typeof metrics !== "string" && metrics.status === 200 && !isHere(url))
    findings.push(
      unwise(
        "/metrics tells everyone what is asked how often.",
        "Set METRICS_TOKEN, or ask for keys.",
      ),
    );
  const preflight = await ask(
    "/v1/models",
    { Origin: PAGE, "Access-Control-Request-Method": "GET" },
    "OPTIONS",
  );
  if (
    typeof preflight !== "string" &&
    !open &&
    ["*", PAGE].includes(preflight.headers.get("access-control-allow-origin") ?? "")
  )
    findings.push(
      unwise(
        "Pages of every origin may call with keys.",
        "Name your pages' origins in CORS_ORIGINS.",
      ),
    );
  const known = key ? await ask("/v1/models", { Authorization: `Bearer ${key}` }) : stranger;
  if (typeof known === "string" || known.status !== 200) {
    const isRefused = typeof known !== "string" && [401, 403].includes(known.status);
    if (key && isRefused)
      findings.push(
        wrong(
          `The key is refused: ${known.status}.`,
          "npx nearcast key --name web makes another one.",
        ),
      );
    else if (!isRefused && !hasNoKeys)
      findings.push(
        wrong(
          `/v1/models answers ${typeof known === "string" ? known : `${known.status} ${codeOf(known) ?? ""}`.trim()}.`,
          "Its log says why: mostly the store, or too many requests.",
        ),
      );
    else findings.push(note("Models and rates were not looked at: that needs --key."));
    return { url, findings };
  }
  if (!known.headers.has("ratelimit-policy") && !isHere(url))
    findings.push(unwise("No rate: one caller can take all there is.", "Set RATE_LIMIT=100/60s."));
  const listed = (known.body as { models?: { name: string; version: string }[] }).models ?? [];
  if (listed.length === 0)
    findings.push(
      wrong("No model is released.", "npx nearcast push --all --release --to its store."),
    );
  const server = await ask("/v2", key ? { Authorization: `Bearer ${key}` } : undefined);
  const version =
    typeof server === "string" ? undefined : (server.body as { version?: string })?.version;
  const models = listed.map((one) => `${one.name}@${one.version}`).toSorted();
  return { url, findings, models: models.join(", "), ...(version && { version }) };
}

/** Whether several deployments are alike. */
export function compare(sights: readonly Sight[]): Finding[] {
  const [first, ...others] = sights.filter(({ models }) => models !== undefined);
  if (!first) return [];
  return others.flatMap((other) => {
    const { unwise } = findingsAt(other.url);
    return [
      ...(other.version === first.version
        ? []
        : [
            unwise(
              `It runs Nearcast ${other.version}, and ${first.url} ${first.version}.`,
              "Deploy the same commit to both.",
            ),
          ]),
      ...(other.models === first.models
        ? []
        : [
            unwise(
              `It answers with ${other.models}, and ${first.url} with ${first.models}.`,
              "Release the same versions in both stores.",
            ),
          ]),
    ];
  });
}

/** `said` is the header Date, `here` this machine's time when it was made. */
export function checkClock(said: string | null, here: number, url: string): Finding[] {
  const skew = Date.parse(said ?? "") - here;
  // The header has no fractions of a second.
  if (!(Math.abs(skew) > SKEW_MS + 1000)) return [];
  return [
    findingsAt(url).wrong(
      `Its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "ahead of" : "behind"} this machine's: tokens and expiring keys are refused or taken too long.`,
      "Synchronise both with NTP: timedatectl set-ntp true",
    ),
  ];
}

function checkReady(ready: Answer | string, url: string): Finding[] {
  const { wrong } = findingsAt(url);
  if (typeof ready === "string" || ready.status !== 200)
    return [
      wrong(
        `/ready answers ${typeof ready === "string" ? ready : ready.status}: it cannot answer predictions now.`,
        "Its log says why: mostly the store, or its credentials.",
      ),
    ];
  const { failing = 0, lostLogLines = 0 } = ready.body as {
    failing?: number;
    lostLogLines?: number;
  };
  return [
    ...(failing > 0
      ? [wrong(`${failing} released models cannot be read.`, "Its log names them; roll them back.")]
      : []),
    ...(lostLogLines > 0
      ? [wrong(`${lostLogLines} lines of its log are lost.`, "Make room on the log's disk.")]
      : []),
  ];
}

/** The answer, or why there is none. */
async function askFor(url: string, init: RequestInit): Promise<Answer | string> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { ...init, redirect: "manual", signal });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: parsed(text) };
  } catch (error) {
    const { message } = ((error as Error).cause as Error | undefined) ?? (error as Error);
    return message;
  }
}

/** The code of an error. */
function codeOf({ body }: Answer): string | undefined {
  return (body as { code?: string } | undefined)?.code;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether only this machine reaches it, as with `npm start`. */
function isHere(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}
