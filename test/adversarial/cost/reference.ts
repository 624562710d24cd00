const ROUNDS = 5;

/** Milliseconds of processor time of a fixed computation: some 50 on a usual core that does nothing else. */
export function referenceMs(): number {
  const text = JSON.stringify(Array.from({ length: 180_000 }, (_, index) => ({ a: [index, "b"] })));
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.threadCpuUsage();
    JSON.stringify(JSON.parse(text));
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return times.toSorted((one, other) => one - other)[ROUNDS >> 1] ?? NaN;
}
