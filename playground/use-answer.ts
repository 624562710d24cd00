import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf, predict, type Answer, type Ask, type Failure, type Question } from "./api.ts";

export interface Asked {
  isPending: boolean;
  answer?: Answer;
  failure?: Failure;
}

/** Asks one question at a time. A newer one ends the older one, whose answer is never shown. */
export function useAnswer(ask: Ask) {
  const [asked, setAsked] = useState<Asked>({ isPending: false });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  async function run(question: Question): Promise<Asked | undefined> {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setAsked((before) => ({ ...before, isPending: true }));
    const ended = await predict(ask, question, own.signal).then(
      (answer) => ({ isPending: false, answer }),
      (error: unknown) => ({ isPending: false, failure: failureOf(error) }),
    );
    if (own.signal.aborted) return undefined;
    setAsked(ended);
    return ended;
  }

  function stop(): void {
    running.current?.abort();
    setAsked(({ isPending: _isPending, ...before }) => ({ ...before, isPending: false }));
  }

  function clear(): void {
    running.current?.abort();
    setAsked({ isPending: false });
  }

  return { asked, run, stop, clear };
}
