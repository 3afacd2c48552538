/**
 * The steps of a start, by the numbers of enum start_step in native/plan.h.
 */
export const startSteps = [
  'none', 'plan', 'clone', 'session', 'terminal', 'parent-death', 'personality', 'affinity', 'huge-pages',
  'coredump', 'user-namespace', 'cwd', 'capabilities', 'no-new-privs', 'landlock', 'release', 'open-files',
  'signals', 'seccomp', 'exec', 'handover', 'proc', 'cgroup',
] as const;

/** A step that can fail between the clone of the target and its exec. */
export type StartStep = (typeof startSteps)[number];
