import { createDeferred, type Deferred } from "../deferred.ts";

/** Sends the answers of short runs together. */
export interface JointAnswers {
  /** Resolves when all runs of this turn of the event loop are done. */
  wait(): Promise<void>;
  /** Sends the answers that wait. */
  send(): void;
}

/**
 * Computes short runs back to back and answers them together. Switching between runs and answers would push the
 * code and data of each out of the processor's caches.
 */
export function createJointAnswers(turnEventLoop: () => Promise<void>): JointAnswers {
  let answers: Deferred<void> | undefined;

  function send(): void {
    answers?.resolve();
    answers = undefined;
  }

  return {
    wait() {
      if (!answers) {
        answers = createDeferred();
        void turnEventLoop().then(send);
      }
      return answers.promise;
    },
    send,
  };
}
