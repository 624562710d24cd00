import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describeFailure } from "../failure.ts";
import type { Backend, Platform } from "./backend.ts";

export interface Service {
  /** Answers from the newest service that has started. Waits while the first one starts. */
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Starts another service and ends the present one. If it does not start, says why and keeps the present one. */
  restart: (options: { build: boolean }) => Promise<void>;
  isUp: () => boolean;
  stop: () => Promise<void>;
}

const AGAIN_MS = 1000;

/** Keeps one port for a platform, with one service process after the other behind it. */
export function createService(platform: Platform): Service {
  let current: Backend | undefined;
  let starting: Promise<void> = Promise.resolve();
  let stopped = false;
  const over = new AbortController();
  const ending = new Set<Promise<void>>();

  function end(backend: Backend): void {
    const ended = backend.stop().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  async function start(build: boolean): Promise<void> {
    if (stopped) return;
    try {
      if (build) await platform.build?.();
      let crashed = false;
      const started = await platform.start({
        signal: over.signal,
        onEnd(why) {
          crashed = true;
          if (current !== started || stopped) return;
          console.error(`The service is started again: ${why}.`);
          current = undefined;
          starting = starting.then(() => sleep(AGAIN_MS)).then(() => start(false));
        },
      });
      const before = current;
      current = crashed ? undefined : started;
      if (before) end(before);
      if (stopped && current) end(current);
    } catch (error) {
      if (stopped) return;
      // esbuild has printed the errors with their places.
      if (!isBuildFailure(error)) console.error(`nearcast: ${describeFailure(error)}`);
      if (current) console.error("What was served before is served on.");
    }
  }

  return {
    async answer(request, response) {
      if (!current) await starting;
      if (current) return current.answer(request, response);
      response.writeHead(503, { "Content-Type": "text/plain", "Retry-After": "1" });
      response.end("The service does not start; the terminal says why.\n");
    },
    restart({ build }) {
      starting = starting.then(() => start(build));
      return starting;
    },
    isUp: () => current !== undefined,
    async stop() {
      stopped = true;
      over.abort();
      await starting;
      if (current) end(current);
      current = undefined;
      await Promise.all(ending);
    },
  };
}

function isBuildFailure(error: unknown): boolean {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}
