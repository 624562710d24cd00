/** Every so many items, from the first one on. */
export function everyOf<Item>(items: readonly Item[], step: number): Item[] {
  return items.filter((_, at) => at % step === 0);
}
