/**
 * A line of /proc/<pid>/stat, taken apart without trusting what a process calls itself.
 *
 * The second field is a name of the process's own choice, with brackets, blanks and newlines if it likes. What follows the last
 * ')' is numbers and one letter, so fields are counted from there.
 * proc_pid_stat(5); fs/proc/array.c, do_task_stat()
 */

/** The longest line is far shorter: 16 bytes of name, 52 numbers. */
export const STAT_BYTES = 4096;

export type StatFields = readonly string[];

/** The state, which comes first behind the name. */
const FIRST = 3;

/**
 * @param line  a character a byte
 * @param last  the last field that is asked for: half of the time would go into those behind it. Left out: all
 * @returns those from the state on, for {@link fieldAt}; undefined: it is no such line
 */
export function statFields(line: string, last?: number): string[] | undefined {
  const behindName = endOfName(line);
  return behindName < 0 ? undefined : line.slice(behindName).split(' ', last === undefined ? undefined : last - FIRST + 1);
}

/** @returns undefined: the line ends before */
export function fieldAt(fields: StatFields, number: number): string | undefined {
  return fields[number - FIRST];
}

/** The same line with other words for some of its fields. */
export function withFields(line: string, words: ReadonlyMap<number, string>): string {
  const fields = statFields(line) ?? [];
  for (const [number, word] of words) fields[number - FIRST] = word;
  return line.slice(0, endOfName(line)) + fields.join(' ');
}

/** Where the state begins; -1: there is no name. */
function endOfName(line: string): number {
  const bracket = line.lastIndexOf(') ');
  return bracket < 0 ? -1 : bracket + 2;
}
