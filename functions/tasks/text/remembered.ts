/** A vocabulary may have a quarter of a million tokens, and texts use few of them. */
const MOST = 10_000;

/** Remembers what is made of a token. */
export function remembered<Made>(make: (token: string) => Made): (token: string) => Made {
  const known = new Map<string, Made>();
  return (token) => {
    let made = known.get(token);
    if (made === undefined) {
      if (known.size >= MOST) known.clear();
      known.set(token, (made = make(token)));
    }
    return made;
  };
}
