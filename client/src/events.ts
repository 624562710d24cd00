/** A message of a stream of Server-Sent Events. */
export interface Message {
  id?: string;
  /** Empty for comments and messages that have none. */
  data: string;
  /** How long to wait before coming again, if the message says so. */
  retryMs?: number;
}

/** Reads a stream's messages. Cancels the stream when it is ended. */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Message, undefined, undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // What is not closed by an empty line is no message.
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const written = text.split(/\r?\n\r?\n/);
      text = written.pop() ?? "";
      for (const one of written) yield messageOf(one);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function messageOf(written: string): Message {
  const message: Message = { data: "" };
  for (const line of written.split(/\r?\n/)) {
    const [, name, value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "id") message.id = value;
    if (name === "data") message.data += value;
    if (name === "retry" && /^\d+$/.test(value)) message.retryMs = Number(value);
  }
  return message;
}
