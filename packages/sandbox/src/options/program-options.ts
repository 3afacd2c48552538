/** Options on the program's surroundings: its environment, its directory, its identity, its memory layout. */
import { CAPABILITIES, parseCapability, type Capability } from './grammar/capability-name.js';
import { parseVariableName, parseVariableValue, splitAssignment } from './grammar/environment.js';
import { parseFsPath, writeFsPath, type FsPath } from './grammar/fs-path.js';
import { grammar, GrammarError, show } from './grammar/grammar-error.js';
import { parseSandboxName } from './grammar/sandbox-name.js';
import { parseUser, type UserIds } from './grammar/user-ids.js';
import { boolean, option, table } from './option.js';

function parseCapabilities(value: unknown): 'all' | readonly Capability[] {
  if (typeof value === 'boolean') return value ? 'all' : [];
  if (!Array.isArray(value)) throw new GrammarError(`It is true, false or a list of capabilities, not ${show(value)}.`);
  const named = new Set(value.map((item) => parseCapability(item)));
  return CAPABILITIES.filter((capability) => named.has(capability));
}

export const programOptions = {
  env: option({
    schema: table(parseVariableName, parseVariableValue),
    type: 'Record<string, string>',
    default: '{}',
    flags: [{
      long: 'env', placeholder: 'NAME=VALUE', repeatable: true,
      toValue: (texts) => Object.fromEntries(texts.map(splitAssignment)),
    }],
    profile: { section: 'program', key: 'env' },
    summary: 'set a variable of the program\'s environment',
    docs: 'Variables to set or replace, after `cleanEnv`: a plain object, and no Map or the like. Left out, the program inherits the environment of the caller; '
      + '`HOSTNAME` in it becomes the name of the sandbox, where there is a supervisor.',
    noSupervisor: true,
  }),
  cleanEnv: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'clean-env' }],
    profile: { section: 'program', key: 'clean_env' },
    summary: 'drop the inherited environment but PATH, HOME, USER, TERM and LANG',
    docs: `Drop the inherited environment, except for PATH, HOME, USER, TERM and LANG where they are set. Without an inherited
PATH a usual one is put in its place. What \`env\` names is set afterwards.`,
    noSupervisor: true,
  }),
  cwd: option({
    schema: grammar<FsPath, Uint8Array>(parseFsPath),
    type: 'string | Buffer | URL',
    default: 'the caller\'s',
    flags: [{ long: 'cwd', placeholder: 'PATH' }],
    profile: { section: 'program', key: 'cwd', write: writeFsPath },
    summary: 'start the program in this directory',
    docs: `The directory that the program starts in. A relative path is taken from the caller's working directory when the
options are read. It grants nothing: reading or writing there needs \`fsReadable\` or \`fsWritable\`.`,
    noSupervisor: true,
  }),
  user: option({
    schema: grammar<UserIds | string, UserIds>(parseUser),
    type: '{ uid, gid } | "UID:GID"',
    default: 'the caller\'s',
    flags: [{ long: 'user', placeholder: 'UID:GID' }],
    profile: { section: 'program', key: ['uid', 'gid'] },
    summary: 'let the program see itself as this user and group',
    docs: `The user and group that the program sees itself as, by a user namespace with one entry: outside, it stays the caller,
and gains no rights. There are no supplementary groups. Equal to the caller's own it changes nothing and needs no
namespace. Some systems restrict user namespaces; there the start fails and says so.`,
    noSupervisor: true,
  }),
  noCoredump: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'no-coredump' }],
    profile: { section: 'program', key: 'no_coredump' },
    summary: 'let no core dumps be written',
    docs: 'No core dumps: neither to a file nor to a program that the host has set up for them.',
    noSupervisor: true,
  }),
  noHugePages: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'no-huge-pages' }],
    profile: { section: 'program', key: 'no_huge_pages' },
    summary: 'use no transparent huge pages',
    docs: 'No transparent huge pages for the program and its descendants (PR_SET_THP_DISABLE).',
    noSupervisor: true,
  }),
  noRandomizeMemory: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'no-randomize-memory' }],
    profile: { section: 'determinism', key: 'no_randomize_memory' },
    summary: 'lay memory out the same way every time',
    docs: `Switch address space randomisation off for the program and its descendants, for runs that can be repeated. It makes
faults in the program easier to exploit.`,
    noSupervisor: true,
  }),
  keepCapabilities: option({
    schema: grammar<boolean | readonly string[], 'all' | readonly Capability[]>(parseCapabilities),
    type: 'boolean | string[]',
    default: 'false',
    flags: [{
      long: 'keep-capability', placeholder: 'NAME', repeatable: true,
      summary: 'keep a capability that would be dropped, or all of them with "all"',
      toValue: (texts) => texts.some((text) => text.toLowerCase() === 'all') ? true : texts,
    }],
    summary: 'keep capabilities that would be dropped',
    docs: `Capabilities are dropped before the program runs, from every set and from the bounding set, so that root in a
container is confined like anybody else. \`true\` keeps those that the caller has, a list such as
\`['CAP_NET_BIND_SERVICE']\` keeps only those of them that it names. Each one kept is a way to do what an ordinary user
cannot. capabilities(7).`,
    noSupervisor: true,
  }),
  name: option({
    schema: grammar<string, string>(parseSandboxName),
    type: 'string',
    default: 'sandbox-PID-N',
    flags: [{ long: 'name', placeholder: 'NAME' }],
    summary: 'name the sandbox',
    docs: `The name of the sandbox, and the host name that the program sees. 1 to 64 bytes without slash and control
characters. Two sandboxes of one process that ask for the same name cannot run at the same time.`,
    noSupervisor: true,
  }),
};
