/**
 * Asks the first. Asks the second too, when the first takes longer than `afterMs` or fails in a way that the second may
 * not. The first answer counts. Rejects with a final error at once, and with the last error when both have failed.
 */
export function either<T>(
  first: () => Promise<T>,
  second: (why: "slow" | "failed") => Promise<T>,
  { afterMs, isFinal }: { afterMs: number; isFinal: (error: unknown) => boolean },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed: unknown[] = [];
    let asked = false;

    function fail(error: unknown): void {
      failed.push(error);
      if (isFinal(error) || failed.length === 2) reject(error);
    }

    function askSecond(why: "slow" | "failed"): void {
      clearTimeout(timer);
      if (asked) return;
      asked = true;
      second(why).then(resolve, fail);
    }

    const timer = setTimeout(() => askSecond("slow"), afterMs);
    const answered = first().finally(() => clearTimeout(timer));
    answered.then(resolve, (error: unknown) => {
      fail(error);
      if (!isFinal(error)) askSecond("failed");
    });
  });
}
