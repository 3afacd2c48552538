/** Options on the confinement itself: what may be missing, what more is denied, and who answers. */
import type { HandlerBinding } from '@sandlock/dispatch';

import type { Protection } from '../landlock/protections.js';
import { ALLOWABLE_GROUPS, type SyscallGroupName } from '../filter/syscall-groups.js';
import { parseHandler } from './grammar/handler-binding.js';
import { parseDisabledProtection, parseProtection } from './grammar/protection-name.js';
import { parseAllowedGroup, parseDeniedSyscall } from './grammar/syscall-selection.js';
import { boolean, list, option } from './option.js';

export const confinementOptions = {
  allowDegraded: option({
    schema: list<string, Protection>(parseProtection),
    type: 'string[]',
    default: '[]',
    flags: [{ long: 'allow-degraded', placeholder: 'PROTECTION', repeatable: true }],
    summary: 'run on a kernel that lacks this protection, without it',
    docs: `Protections to do without where the kernel lacks them; where it has them they are enforced. Without this the start is
refused there. The protections are listed below.`,
    noSupervisor: true,
    confine: true,
  }),
  disable: option({
    schema: list<string, Protection>(parseDisabledProtection),
    type: 'string[]',
    default: '[]',
    flags: [{ long: 'disable', placeholder: 'PROTECTION', repeatable: true }],
    summary: 'never enforce this protection',
    docs: `Protections never to enforce. Wins over \`allowDegraded\`. \`fsRefer\` cannot be disabled. With \`netTcp\` disabled, ports
cannot be told apart: then \`netAllow\` and \`netAllowBind\` must both be empty, and TCP sockets are refused, or both allow
every port.`,
    noSupervisor: true,
    confine: true,
  }),
  extraAllowSyscalls: option({
    schema: list<string, SyscallGroupName>(parseAllowedGroup),
    type: 'string[]',
    default: '[]',
    flags: [{ long: 'extra-allow-syscall', placeholder: 'GROUP', repeatable: true }],
    profile: { section: 'syscalls', key: 'extra_allow' },
    summary: `allow a group of blocked system calls: ${ALLOWABLE_GROUPS.join(', ')}`,
    docs: `Groups of the blocklist to leave out: ${ALLOWABLE_GROUPS.map((name) => `\`${name}\``).join(', ')}. Single system calls
cannot be allowed again.`,
    noSupervisor: true,
  }),
  extraDenySyscalls: option({
    schema: list<string, string>(parseDeniedSyscall),
    type: 'string[]',
    default: '[]',
    flags: [{ long: 'extra-deny-syscall', placeholder: 'NAME|GROUP', repeatable: true }],
    profile: { section: 'syscalls', key: 'extra_deny' },
    summary: 'deny one more system call, or a group of them',
    docs: `System calls and groups to deny with EPERM besides the blocklist. A denial wins over what the supervisor would answer
itself; a handler of yours for a denied call is an error that names it.`,
    noSupervisor: true,
  }),
  noSupervisor: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'no-supervisor' }],
    profile: { section: 'program', key: 'no_supervisor' },
    summary: 'confine by Landlock and a smaller filter alone, so that sandboxes can run inside',
    docs: `Landlock and a smaller deny list only: nothing is answered by a supervisor. There is one supervisor at most between a
program and the kernel, so this is the mode for an outer sandbox in which supervised ones run. What needs a supervisor is
refused together with it, all at once. Debugging, mounting and the like are not on its deny list, since a sandbox inside
denies them. Nor is unshare(2), so a program may make itself a user namespace; clone(2) makes none, so \`user\` does not
work inside.`,
    noSupervisor: true,
  }),
  handlers: option({
    schema: list<HandlerBinding, HandlerBinding>(parseHandler),
    type: 'HandlerBinding[]',
    default: '[]',
    flags: [],
    summary: 'answer system calls in TypeScript',
    docs: `Handlers for system calls, made with \`on(syscall, handler)\`. They are asked after Sandlock's own, in this order; the
first that does not continue decides. The host name that uname gives is the one exception: a view, which is answered after
them. A handler on a denied call is refused, because its "continue" would lift the denial.`,
    noSupervisor: 'handlers are run by the supervisor',
  }),
};
