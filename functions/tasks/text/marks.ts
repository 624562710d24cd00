/**
 * Puts long runs of combining marks into canonical order. `normalize` gives the same for both texts, but sorts a run by
 * insertion: fifty thousand marks in a bad order would take it ten seconds.
 */
export function withOrderedMarks(text: string): string {
  return text.replaceAll(LONG_RUN, ordered);
}

const LONG_RUN = /\p{M}{24,}/gu;

/** The marks with one combining class. */
interface Group {
  one: string;
}

/** All groups found so far, in Unicode's order. They are kept: there are about sixty, with two thousand marks. */
const groups: Group[] = [];
const groupOf = new Map<string, Group | undefined>();

function ordered(run: string): string {
  let made = "";
  let moving = new Map<Group, string>();
  const flush = (): void => {
    for (const group of groups) made += moving.get(group) ?? "";
    moving = new Map();
  };
  for (const composed of run)
    for (const mark of composed.normalize("NFD")) {
      const group = groupOf.has(mark) ? groupOf.get(mark) : findGroup(mark);
      if (group) moving.set(group, (moving.get(group) ?? "") + mark);
      else {
        // No mark moves past a mark without a class.
        if (moving.size > 0) flush();
        made += mark;
      }
    }
  flush();
  return made;
}

function findGroup(mark: string): Group | undefined {
  let group: Group | undefined;
  if (moves(mark)) {
    const at = groups.findIndex(({ one }) => !swap(mark, one));
    group = groups[at];
    // `at` is the first group that does not go before the mark. The mark is of that group, or of a new one before it.
    if (!group || swap(group.one, mark)) {
      group = { one: mark };
      groups.splice(at < 0 ? groups.length : at, 0, group);
    }
  }
  groupOf.set(mark, group);
  return group;
}

/** The mark that goes after all others. */
const HIGHEST = "\u0345";

/** Whether a mark has a combining class other than 0, so that it can move. */
function moves(mark: string): boolean {
  return mark === HIGHEST || swap(HIGHEST, mark);
}

/** Whether normalising changes the order of two marks. */
function swap(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") === second + first;
}
