interface HeapUsage {
  usedSize: number;
  embedderHeapUsedSize: number;
  backingStorageSize: number;
}

/**
 * Bytes that an isolate needs after a garbage collection: its JavaScript heap, the runtime's objects and buffers, without
 * WASM memory. The inspector of workerd or Node gives them. workerd's collects only when `wake` makes the isolate work.
 */
export async function heapBytes(inspector: URL, wake: () => Promise<unknown>): Promise<number> {
  const socket = new WebSocket(inspector);
  const answers = new Map<number, unknown>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id !== undefined) answers.set(id, result);
  });
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const methods = ["HeapProfiler.enable", "HeapProfiler.collectGarbage", "Runtime.getHeapUsage"];
    for (const [id, method] of methods.entries()) {
      socket.send(JSON.stringify({ id, method }));
      while (!answers.has(id)) await wake();
    }
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = answers.get(2) as HeapUsage;
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  } finally {
    socket.close();
  }
}
