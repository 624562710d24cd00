// The part of autocannon 9 used here; the package ships no types.
declare module "autocannon" {
  interface Options {
    url: string;
    method: "POST";
    headers: Record<string, string>;
    /** Each connection sends them in turn. */
    requests: { body: Buffer }[];
    connections: number;
    /** Seconds, unless there is an `amount`. */
    duration?: number;
    /** How many requests are sent in all. */
    amount?: number;
    sampleInt?: number;
  }
  interface Result {
    errors: number;
    timeouts: number;
    non2xx: number;
    "2xx": number;
    /** Seconds. */
    duration: number;
  }
  interface Instance extends PromiseLike<Result> {
    on(
      event: "response",
      listener: (client: object, status: number, bytes: number, milliseconds: number) => void,
    ): void;
    stop(): void;
  }
  export default function autocannon(options: Options): Instance;
}
