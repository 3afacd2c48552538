/**
 * The environment of the program.
 *
 * What is inherited comes from the caller at the start of each run, so the policy holds only what to make of it.
 */
export interface EnvironmentPolicy {
  readonly clean: boolean;
  readonly set: Readonly<Record<string, string>>;
}

/** What a clean environment keeps: enough to find programs, a home and a terminal, and no secrets. */
const KEPT = ['PATH', 'HOME', 'USER', 'TERM', 'LANG'];

/** Where a clean environment inherits no PATH. */
export const SAFE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** bash sets it for itself, of uname(2), where it is not inherited; whoever exports it hands on the machine's. bash(1) */
const HOST_NAME = 'HOSTNAME';

/** The caller's variables, and where one of them says what the machine is called, the sandbox's name. */
export function withHostName(inherited: Readonly<Record<string, string | undefined>>, name: string): Readonly<Record<string, string | undefined>> {
  return inherited[HOST_NAME] === undefined ? inherited : { ...inherited, [HOST_NAME]: name };
}

/**
 * The variables a program starts with.
 *
 * @param inherited most often process.env
 * @param extra     set last, for one run
 */
export function buildEnvironment(
  policy: EnvironmentPolicy,
  inherited: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  // No prototype: a variable may be called __proto__.
  const environment = Object.create(null) as Record<string, string>;
  // Each question asked of process.env is one of the C library.
  for (const name of policy.clean ? KEPT.filter((each) => Object.hasOwn(inherited, each)) : Object.keys(inherited)) {
    const value = inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  // An empty PATH means the current directory to some shells.
  if (policy.clean && (environment['PATH'] ?? '') === '') environment['PATH'] = SAFE_PATH;
  for (const set of [policy.set, extra]) for (const name of Object.keys(set)) environment[name] = set[name]!;
  return environment;
}
