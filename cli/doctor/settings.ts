import { apiKeysSchema } from "../../functions/auth/api-keys.ts";
import { readConfig, type Config } from "../../functions/config.ts";
import { ConfigurationError } from "../../functions/config-problems.ts";
import type { PlatformName } from "../../functions/variable.ts";
import { plainIssue } from "../../functions/plain-issue.ts";
import { SESSION_BUDGETS_MB } from "../../functions/platform/session-budgets.ts";
import { findingsAt, type Finding } from "./finding.ts";

/** The variables of a deployment, and where they are written. */
export interface Settings {
  where: string;
  platform: PlatformName;
  variables: Record<string, string>;
  /** Whether others than this machine can ask. */
  isReached: boolean;
}

/** What a deployment has before any variable is set, as far as the checks ask for it. */
const DEFAULTS: Record<PlatformName, Record<string, unknown>> = {
  node: { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: SESSION_BUDGETS_MB.node },
  lambda: { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: SESSION_BUDGETS_MB.lambda },
  cloudflare: {
    STORE: "r2://MODELS",
    RUNTIME: "wasm",
    SESSION_BUDGET_MB: SESSION_BUDGETS_MB.cloudflare,
  },
};

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** The configuration, or what is wrong with the variables. Keys are looked at by {@link checkWhoMayAsk}. */
export function readSettings({ where, platform, variables }: Settings): Config | Finding[] {
  const { API_KEYS: _, JWT_ISSUER: __, ...others } = variables;
  try {
    return readConfig({ ...others, AUTH: "none" }, DEFAULTS[platform], platform);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { wrong } = findingsAt(where);
    return error.problems.map((problem) => wrong(problem, "README.md has a table of variables."));
  }
}

/** Whether callers must say who they are, and how much each may ask. */
export function checkWhoMayAsk({ where, variables, isReached }: Settings): Finding[] {
  const { wrong, unwise } = findingsAt(where);
  if (!isReached) return [];
  const { AUTH, API_KEYS, JWT_ISSUER, JWT_AUDIENCE, RATE_LIMIT, CORS_ORIGINS } = variables;
  const findings: Finding[] = [];
  const hasKeys = API_KEYS || JWT_ISSUER;
  if (AUTH === "none" && hasKeys)
    findings.push(
      wrong("AUTH=none beside keys or an issuer stops the start.", "Take one of them out."),
    );
  else if (AUTH === "none" && !RATE_LIMIT)
    findings.push(
      wrong(
        "AUTH=none lets everyone in, and without RATE_LIMIT each may ask as much as they like.",
        "npx nearcast key --name web makes a key and its entry for API_KEYS. Or set RATE_LIMIT=100/60s.",
      ),
    );
  else if (AUTH === "none")
    findings.push(
      unwise(
        "AUTH=none lets everyone in.",
        "npx nearcast key --name web makes a key and its entry for API_KEYS.",
      ),
    );
  else if (!hasKeys)
    findings.push(
      wrong(
        "Neither API_KEYS nor JWT_ISSUER is set: it would answer nothing but health.",
        "npx nearcast key --name web makes a key and its entry for API_KEYS.",
      ),
    );
  if (JWT_ISSUER && !JWT_AUDIENCE)
    findings.push(
      wrong("JWT_ISSUER needs JWT_AUDIENCE.", "Set it to what the issuer's tokens have in aud."),
    );
  if (AUTH !== "none" && !RATE_LIMIT)
    findings.push(
      unwise(
        "No RATE_LIMIT: one caller can take all there is.",
        "Set RATE_LIMIT=100/60s, or a rate in each key's entry.",
      ),
    );
  if (CORS_ORIGINS?.split(",").includes("*") && AUTH !== "none")
    findings.push(
      unwise(
        "CORS_ORIGINS=* lets pages of every origin call with keys: whoever opens such a page can be made to give theirs.",
        "Name the origins of your pages: CORS_ORIGINS=https://app.example.com",
      ),
    );
  return findings;
}

/** The entries of `API_KEYS`, where they can be read. */
export function checkKeys(text: string, where: string, now: number): Finding[] {
  const { wrong, unwise } = findingsAt(where);
  const entries = "The entries are as npx nearcast key --name web prints them.";
  const { success, data, error } = apiKeysSchema.safeParse(text);
  if (!success) {
    const [issue] = error.issues;
    const at = issue?.path.join(".") ?? "";
    return [
      wrong(`API_KEYS: ${at} ${plainIssue(issue?.message ?? "")}`.replace("  ", " "), entries),
    ];
  }
  if (data.length === 0) return [wrong("API_KEYS has no entry: nobody may ask.", entries)];
  const left = (expires: string) => (Date.parse(expires) - now) / DAY_MS;
  const ending = data.flatMap(({ name, expires }) =>
    expires !== undefined && left(expires) < SOON_DAYS ? [{ name, expires }] : [],
  );
  const renew = "npx nearcast key again, with the same name, and add its entry beside the old one.";
  return ending.map(({ name, expires }) =>
    left(expires) <= 0
      ? wrong(`The key ${name} has expired on ${expires}.`, renew)
      : unwise(`The key ${name} expires on ${expires}.`, renew),
  );
}

const SECURE = [
  "S3_ENDPOINT",
  "JWT_ISSUER",
  "JWT_JWKS_URL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "REDIS_URL",
  "SPILL_URL",
];

/** Whether secrets, models or records travel in the open. This machine's own addresses are no way for others to listen. */
export function checkAddresses({ where, variables }: Settings): Finding[] {
  const { unwise } = findingsAt(where);
  return SECURE.filter((name) => isOpen(variables[name])).map((name) =>
    unwise(
      `${name} is an address without TLS: what is sent there can be read and changed on the way.`,
      `Use https://${name === "REDIS_URL" ? ", for Redis rediss://" : ""}.`,
    ),
  );
}

/** Whether the URL has no TLS and leads to another machine. */
export function isOpen(url: string | undefined): boolean {
  if (!url || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (
    ["http:", "redis:"].includes(protocol) &&
    !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  );
}

/** Whether Node's debugger listens, which runs whatever it is told. */
export function checkDebugger({ where, variables }: Settings): Finding[] {
  if (!/--inspect/.test(variables["NODE_OPTIONS"] ?? "")) return [];
  return [
    findingsAt(where).wrong(
      "NODE_OPTIONS opens Node's debugger: who reaches it runs any code.",
      "Take --inspect out of NODE_OPTIONS.",
    ),
  ];
}

const PLACEHOLDER = /<[^>]*>|\b(?:todo|changeme|change-me|replace-?me)\b|^your[-_]|^x{4,}$|YOUR_/i;

/** Values that somebody meant to replace. */
export function checkPlaceholders(values: Record<string, unknown>, where: string): Finding[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === "string" && PLACEHOLDER.test(value)
      ? [
          findingsAt(where).wrong(
            `${name} still has a placeholder: ${value}`,
            "Write what it stands for.",
          ),
        ]
      : [],
  );
}

/** Whether this version of Node still gets fixes, and has what jobs need. */
export function checkNode(version: string, where: string): Finding[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return [];
  return [
    findingsAt(where).unwise(
      `Node ${version} has no jobs without Redis${major < 22 ? ", and gets no fixes any more" : ""}.`,
      "Use Node 24.",
    ),
  ];
}
