/** How a body ended: all of it arrived, it broke off, or nobody wants the rest. */
export type End = "whole" | "cut" | "left";

/** Passes a body on, piece by piece as it is asked for. Tells once how it ended. */
export function watchBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  tell: (end: End, cause?: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let isOver = false;

  function end(how: End, cause?: unknown): void {
    isOver = true;
    tell(how, cause);
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          // Its reader has left meanwhile, which ends the read.
          if (isOver) return;
          if (!done) return controller.enqueue(value);
          end("whole");
          controller.close();
        } catch (cause) {
          if (isOver) return;
          end("cut", cause);
          controller.error(cause);
        }
      },
      async cancel(reason) {
        end("left");
        await reader.cancel(reason);
      },
    },
    // A slow reader must not fill the memory.
    { highWaterMark: 0 },
  );
}
