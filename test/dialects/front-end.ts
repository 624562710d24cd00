type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** The scripts of tutorials' pages: what they send, and how they read the answers. */
export function frontEnd(fetch: Fetch) {
  async function send(path: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const data = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(String(data["error"]));
    return data;
  }

  return {
    async predictArray(features: readonly number[]) {
      const { prediction, confidence } = await send("/predict", { features });
      return `${String(prediction)} (${(Number(confidence) * 100).toFixed(1)} %)`;
    },
    async predictNamed(form: object) {
      const data = await send("/predict", form);
      return `${String(data["predicted_class"])} of ${(data["class_names"] as string[]).join(", ")}`;
    },
    /** Makes a task, and polls until it is done. `pending` is called whenever it is not. */
    async predictLater(rows: readonly object[], pending: () => void | Promise<void> = () => {}) {
      const { task_id: id } = await send("/batch-predict", rows);
      for (;;) {
        const response = await fetch(`/batch-result/${String(id)}`);
        const data = (await response.json()) as {
          status: string;
          error?: string;
          predictions?: { prediction: string }[];
        };
        if (!response.ok) throw new Error(data.error);
        if (data.predictions) return data.predictions.map(({ prediction }) => prediction);
        if (data.status !== "pending") throw new Error(data.status);
        await pending();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}
