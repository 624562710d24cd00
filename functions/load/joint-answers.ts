import { createDeferred, type Deferred } from "../deferred.ts";

/** Answers of short runs, which are sent together. */
export interface JointAnswers {
  /** Resolves when the runs of this turn of the event loop are over. */
  wait(): Promise<void>;
  /** Sends what waits now. */
  send(): void;
}

/**
 * Short runs are computed back to back and answered together. With an answer between two runs, each would find
 * the other's code and data in the processor's caches.
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
