/** Up to this many, insertion takes a third of the time of `sort`. With many more it would take longer. */
const FEW = 32;

/**
 * The places of the first `count` scores, the highest score first. Equal scores keep their order. They may be in
 * `places`, which a caller with thousands of rows can give again.
 */
export function rank(
  scores: ArrayLike<number>,
  count: number,
  places: number[] = [],
): readonly number[] {
  const scoreAt = (place: number): number => scores[place] ?? 0;
  if (count > FEW)
    return Array.from({ length: count }, (_, place) => place).sort(
      (a, b) => scoreAt(b) - scoreAt(a),
    );
  for (let place = 0; place < count; place++) {
    const score = scoreAt(place);
    let at = place;
    for (; at > 0 && scoreAt(places[at - 1] as number) < score; at--)
      places[at] = places[at - 1] as number;
    places[at] = place;
  }
  return places;
}
