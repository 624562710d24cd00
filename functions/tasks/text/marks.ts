/**
 * A text with its long runs of combining marks in canonical order, so that `normalize` gives the same for both. It
 * sorts a run by insertion: fifty thousand marks in a bad order would take it ten seconds.
 */
export function withOrderedMarks(text: string): string {
  return text.replaceAll(LONG_RUN, ordered);
}

const LONG_RUN = /\p{M}{24,}/gu;

/** Marks that are in one place of the order. */
interface Group {
  one: string;
}

/** By Unicode's order. There are about sixty, and two thousand marks: they are kept. */
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
        // Nothing moves past a mark that stays.
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
    // It goes before the first group that does not go before it, unless it is of that group.
    if (!group || swap(group.one, mark)) {
      group = { one: mark };
      groups.splice(at < 0 ? groups.length : at, 0, group);
    }
  }
  groupOf.set(mark, group);
  return group;
}

/** The mark that goes after all others, U+0345. */
const HIGHEST = "\u0345";

/** Whether a mark has a combining class, by which it is ordered. */
function moves(mark: string): boolean {
  return mark === HIGHEST || swap(HIGHEST, mark);
}

/** Whether normalising changes the order of two marks. */
function swap(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") === second + first;
}
