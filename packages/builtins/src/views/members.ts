/**
 * Who is in the sandbox, as far as views need to know.
 */
export interface Members {
  /** Whether a process, or a thread by its id, belongs to the sandbox. One that was made a moment ago does. */
  isMember(pid: number): boolean;
  /** How many processes live, as far as one look tells: it costs a fraction of {@link pids}. */
  count(): number;
  /** The processes, by ascending pid. */
  pids(): readonly number[];
}
