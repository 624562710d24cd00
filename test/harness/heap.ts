interface HeapUsage {
  usedSize: number;
  embedderHeapUsedSize: number;
  backingStorageSize: number;
}

type Send = (method: string, params?: object) => Promise<unknown>;

interface Inspected {
  send: Send;
  /** The number of the context in which the isolate's own code runs. */
  context: () => Promise<number>;
}

/**
 * Bytes that an isolate needs after a collection: its JavaScript heap, the runtime's objects and buffers;
 * WASM memory is not among them. They are read through the inspector of workerd or Node; workerd's collects when
 * `wake` has the isolate do something.
 */
export function heapBytes(inspector: URL, wake: () => Promise<unknown>): Promise<number> {
  return inspect(inspector, wake, async ({ send }) => {
    await send("HeapProfiler.enable");
    await send("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = (await send(
      "Runtime.getHeapUsage",
    )) as HeapUsage;
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  });
}

/** Bytes of all WASM memories of an isolate that cannot be collected. */
export function wasmBytes(inspector: URL, wake: () => Promise<unknown>): Promise<number> {
  return inspect(inspector, wake, async ({ send, context }) => {
    const { result: prototype } = (await send("Runtime.evaluate", {
      contextId: await context(),
      expression: "WebAssembly.Memory.prototype",
    })) as { result: { objectId: string } };
    // Collects first.
    const { objects } = (await send("Runtime.queryObjects", {
      prototypeObjectId: prototype.objectId,
    })) as { objects: { objectId: string } };
    const { result } = (await send("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration: `function () {
        return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
      }`,
      returnByValue: true,
    })) as { result: { value: number } };
    return result.value;
  });
}

async function inspect<T>(
  inspector: URL,
  wake: () => Promise<unknown>,
  work: (inspected: Inspected) => Promise<T>,
): Promise<T> {
  const socket = new WebSocket(inspector);
  const answers = new Map<number, unknown>();
  const contexts: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) answers.set(message.id, message.result ?? message.error);
    if (message.method === "Runtime.executionContextCreated")
      contexts.push(message.params.context.id);
  });
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    let sent = 0;
    const send: Send = async (method, params = {}) => {
      const id = sent++;
      socket.send(JSON.stringify({ id, method, params }));
      while (!answers.has(id)) await wake();
      return answers.get(id);
    };
    return await work({
      send,
      async context() {
        await send("Runtime.enable");
        while (contexts.length === 0) await wake();
        return contexts[0] as number;
      },
    });
  } finally {
    socket.close();
  }
}

interface Message {
  id?: number;
  result?: unknown;
  error?: unknown;
  method?: string;
  params: { context: { id: number } };
}
