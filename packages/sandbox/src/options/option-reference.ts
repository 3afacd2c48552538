/** The reference of all options, written from their records: docs/options.md. */
import { SYSCALL_GROUP_NAMES, SYSCALL_GROUPS } from '../filter/syscall-groups.js';
import { PROTECTIONS, protectionFlagName, requiredAbi, withoutProtection } from '../landlock/protections.js';
import { cliFlags } from './cli-flags.js';
import { profileKey } from '../profile/profile-fields.js';
import type { Option } from './option.js';
import { optionSections, type OptionName } from './option-table.js';

export function optionReference(): string {
  const sections = Object.entries(optionSections).map(([heading, options]) => section(`## ${heading}`,
    Object.entries<Option>(options).map(([name, option]) => optionText(name as OptionName, option)).join('\n\n')));
  return `${[intro, ...sections, protections(), blocklist()].join('\n\n')}\n`;
}

const intro = `# Options

<!-- Written by packages/sandbox/scripts/option-reference.mjs from the records in packages/sandbox/src/options. -->

What a sandbox can be asked for: as properties of \`new Sandbox({ ... })\`, as flags of \`sandlock run\`, and as keys of a
[profile](profiles.md). Everything may be left out. What is not granted is refused: without options a program reads no file,
so it does not even start, and has no network. Wrong options are reported all at once, before anything starts.`;

function optionText(name: OptionName, option: Option): string {
  const flags = cliFlags.filter((flag) => flag.option === name)
    .map((flag) => `\`${flag.spec}\`${flag.repeatable ? ' (repeatable)' : ''}`);
  return section(`### ${name}`, [
    `- Type: \`${option.type}\``,
    `- Default: ${/^[[{\d]|^(false|true)$/.test(option.default) ? `\`${option.default}\`` : option.default}`,
    ...(flags.length === 0 ? [] : [`- Flag: ${flags.join(', ')}`]),
    ...(option.profile === undefined ? ['- Not in a profile'] : [`- Profile: \`${profileKey(name)!}\``]),
    ...(option.noSupervisor === true ? [] : [`- Not with \`noSupervisor\`: ${option.noSupervisor}`]),
    '',
    option.docs,
  ].join('\n'));
}

function protections(): string {
  return section('## Protections', `Parts of Landlock that came after its first version, for \`allowDegraded\` and \`disable\`. All of them are there from
ABI version 6 on (Linux 6.12).

| name | flag | ABI | where it is not active |
| --- | --- | --- | --- |
${PROTECTIONS.map((protection) =>
    `| \`${protection}\` | \`${protectionFlagName(protection)}\` | ${requiredAbi(protection)} | ${withoutProtection(protection)} |`).join('\n')}`);
}

function blocklist(): string {
  return section('## Blocked system calls', `No program in a sandbox gets these; they fail with EPERM. A group marked with a star stays denied under
\`noSupervisor\`; one marked with a plus can be allowed by \`extraAllowSyscalls\`. Names that the processor's architecture lacks
are left out there. \`clone3\` answers ENOSYS, so that \`clone\`, whose flags a filter can read, is used instead.

| group | system calls | why |
| --- | --- | --- |
${SYSCALL_GROUP_NAMES.map((name) => {
    const { syscalls, reason, withoutSupervisor, allowable } = SYSCALL_GROUPS[name];
    return `| \`${name}\`${withoutSupervisor === true ? ' \\*' : ''}${allowable === true ? ' +' : ''} | ${syscalls.join(', ')} | ${reason} |`;
  }).join('\n')}`);
}

function section(heading: string, body: string): string {
  return `${heading}\n\n${body}`;
}
