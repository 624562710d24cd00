import { NearcastError } from "../errors.ts";

/** The time by which a request must be answered, in milliseconds. */
export interface Deadline {
  /**
   * Throws `deadline_exceeded` when the time is over, and `client_closed_request` when the client went away. With
   * `neededMs` it also throws when less time than that is left. Half of the whole time is the most that it asks for.
   */
  check(neededMs?: number): void;
  /** Sets the time to `timeoutMs` after the request's start, if that is sooner. */
  shorten(timeoutMs: number): void;
  /**
   * Ends the request with this error. Another request may call it. Where requests are isolated, the request ends
   * when it next checks its deadline; elsewhere at once.
   */
  end(error: NearcastError): void;
  /** Resolves to the work's result, or rejects with `deadline_exceeded` when it takes too long. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Milliseconds since the request began. */
  age(): number;
  /** When the time is over, as a value of `performance.now()`. */
  endsAt(): number;
  /** Called with the reason when {@link within} rejects before the work does. */
  watcher?: { end(error: NearcastError): void };
}

/** A deadline that begins now. `isolated` says that no request may settle a promise of another, as on Workers. */
export function createDeadline(
  timeoutMs: number,
  isClientGone: () => boolean,
  { isolated = false } = {},
): Deadline {
  return new RequestDeadline(timeoutMs, isClientGone, isolated);
}

class RequestDeadline implements Deadline {
  watcher?: { end(error: NearcastError): void };
  readonly #start = performance.now();
  #longest: number;
  readonly #isClientGone: () => boolean;
  readonly #isolated: boolean;
  #ended: NearcastError | undefined;
  #expire: ((error: NearcastError) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, isClientGone: () => boolean, isolated: boolean) {
    this.#longest = timeoutMs;
    this.#isClientGone = isClientGone;
    this.#isolated = isolated;
  }

  age(): number {
    return performance.now() - this.#start;
  }

  endsAt(): number {
    return this.#start + this.#longest;
  }

  check(neededMs = 0): void {
    if (this.#ended) throw this.#ended;
    // A short deadline says that this call is a quick one, whatever others need.
    const needed = Math.min(neededMs, this.#longest / 2);
    if (this.age() + needed >= this.#longest) throw this.#exceeded();
    if (this.#isClientGone())
      throw new NearcastError("client_closed_request", "The client went away.");
  }

  shorten(sooner: number): void {
    if (sooner >= this.#longest) return;
    this.#longest = sooner;
    if (this.#timer !== undefined) this.#arm();
  }

  end(error: NearcastError): void {
    this.#ended = error;
    if (this.#isolated) return;
    // The work may never settle.
    clearTimeout(this.#timer);
    this.#giveUp(error);
  }

  // Every request comes through here. `Promise.race` and its clean-up would take twice as long.
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#expire = reject;
      this.#arm();
      const before =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          clearTimeout(this.#timer);
          settle(value);
        };
      work.then(before(resolve), before(reject));
    });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = Math.max(this.#longest - this.age(), 0);
    this.#timer = setTimeout(() => this.#giveUp(this.#ended ?? this.#exceeded()), left);
  }

  #giveUp(error: NearcastError): void {
    this.watcher?.end(error);
    this.#expire?.(error);
  }

  #exceeded(): NearcastError {
    return new NearcastError(
      "deadline_exceeded",
      `There was no answer within ${this.#longest} ms.`,
    );
  }
}
