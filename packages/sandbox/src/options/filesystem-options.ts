/** Options on files: what may be read, and what may be changed. Landlock enforces both. */
import { parsePathGrant, writePathGrant, type ParsedGrant, type PathGrant } from './grammar/path-grant.js';
import { list, option } from './option.js';

const grants = () => list<PathGrant, ParsedGrant>(parsePathGrant);
const writeGrants = (parsed: readonly ParsedGrant[]) => parsed.map(writePathGrant);
const optionalGrants = (texts: readonly string[]) => texts.map((path) => ({ path, optional: true }));

export const filesystemOptions = {
  fsReadable: option({
    schema: grants(),
    type: '(string | Buffer | URL | { path, optional? })[]',
    default: '[]',
    flags: [
      { long: 'fs-read', short: 'r', placeholder: 'PATH', repeatable: true },
      {
        long: 'fs-read-if-exists', placeholder: 'PATH', repeatable: true,
        summary: 'the same, for a path that some machines lack', toValue: optionalGrants,
      },
    ],
    profile: { section: 'filesystem', key: 'read', write: writeGrants },
    summary: 'let files beneath PATH be read, listed and executed',
    docs: `Files and directories that may be read, listed and executed, with everything beneath them. There is no separate
right to execute. Nothing is granted by itself: a program needs its own binary, its loader and its libraries, and most
want \`/dev/null\`.

Links in the path are followed once, at the start. Relative paths are taken from the caller's working directory when
the options are read. A missing path is an error that names it, unless its entry says \`optional: true\`. Landlock does
not hide names: \`stat\`, \`access\`, \`readlink\` and \`chdir\` work outside the grants too.`,
    noSupervisor: true,
    confine: true,
  }),
  fsWritable: option({
    schema: grants(),
    type: '(string | Buffer | URL | { path, optional? })[]',
    default: '[]',
    flags: [{ long: 'fs-write', short: 'w', placeholder: 'PATH', repeatable: true }],
    profile: { section: 'filesystem', key: 'write', write: writeGrants },
    summary: 'let files beneath PATH be changed, too',
    docs: `Files and directories that may be written, created, removed, renamed and truncated, and devices whose ioctls may be
used. Includes everything that \`fsReadable\` gives. From Landlock ABI 9 on (Linux 7.1) it also says which UNIX sockets of
programs outside may be connected to. Older kernels do not ask: there connect is refused as a whole, and with it UNIX
datagram sockets, while nothing is writable and no TCP port is allowed; otherwise every socket that the user may open can
be connected to, such as that of a container daemon.

With a supervisor nobody writes to the files of control groups, whatever is granted: they move, limit and kill processes.
What a program makes directly in \`/\`, \`/etc\` or another directory that holds files for nobody can be read, written and
removed, and not executed.

Landlock does not cover metadata. As long as nothing is writable, the filter refuses chmod, chown, the time setters,
extended attributes and file flags with EPERM. With any writable path those calls work on every file that the user owns,
also outside the grants.`,
    noSupervisor: true,
    confine: true,
  }),
};
