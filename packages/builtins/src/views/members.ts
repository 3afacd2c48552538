/**
 * Who is in the sandbox, as far as views need to know.
 */
export interface Members {
  /** Whether a process, or a thread by its id, belongs to the sandbox. One that was made a moment ago does. */
  isMember(pid: number): boolean;
  /** The processes, by ascending pid. */
  pids(): readonly number[];
}
