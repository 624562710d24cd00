import { pipeline, Readable, Transform } from "node:stream";
import { TooManyBytes } from "../read-at-most.ts";

/** No answer of AWS but an object is this large. The largest is a page of a list, with a thousand keys. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

interface Context {
  commandName?: string;
}

/** The part of an AWS client that lets others add a step to each request. */
interface Client {
  middlewareStack: {
    add(
      middleware: (
        next: (request: never) => Promise<{ response: unknown }>,
        context: Context,
      ) => (request: never) => Promise<never>,
      options: { step: "deserialize"; priority: "low"; name: string },
    ): void;
  };
}

/** Limits the size of answers that the SDK reads into memory. Those are all but objects, which it streams. */
export function boundResponses<Made extends object>(client: Made): Made {
  // Each client's type names only its own commands.
  (client as unknown as Client).middlewareStack.add(
    (next, { commandName }) =>
      async (request) => {
        const result = await next(request);
        const response = result.response as { statusCode?: number; body?: unknown };
        const isObject = commandName === "GetObjectCommand" && response.statusCode === 200;
        if (!isObject && response.body instanceof Readable) response.body = limited(response.body);
        return result as never;
      },
    { step: "deserialize", priority: "low", name: "boundResponses" },
  );
  return client;
}

function limited(body: Readable): Readable {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes <= MAX_RESPONSE_BYTES) done(null, chunk);
      else done(new TooManyBytes("an answer of AWS", MAX_RESPONSE_BYTES));
    },
  });
  // Whoever reads `limit` gets the error.
  return pipeline(body, limit, () => undefined);
}
