/** How a body ended: all of it arrived, it broke off, or nobody wants the rest. */
export type End = "whole" | "cut" | "left";

/** Passes a body on, piece by piece as it is asked for. Tells once how it ended. */
export function watchBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: (end: End, cause?: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          tell("whole");
          controller.close();
        } catch (cause) {
          tell("cut", cause);
          controller.error(cause);
        }
      },
      async cancel(reason) {
        tell("left");
        await reader.cancel(reason);
      },
    },
    // A slow reader must not fill the memory.
    { highWaterMark: 0 },
  );
}
