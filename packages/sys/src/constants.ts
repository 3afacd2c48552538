/**
 * Kernel constants, in the kernel's spelling.
 *
 * Those of asm-generic hold for all three architectures unless a comment says otherwise.
 */
import { arch, constants } from 'node:os';

/** arm keeps four open flags at other bits. arch/arm64/include/uapi/asm/fcntl.h */
const arm = arch() === 'arm64';

// include/uapi/asm-generic/fcntl.h
export const O_RDONLY = 0o0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_ACCMODE = 0o3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = arm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = arm ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;
export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const F_DUPFD_CLOEXEC = 1030;
export const F_GETFD = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_ADD_SEALS = 1033;

// include/uapi/linux/openat2.h
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
export const RESOLVE_CACHED = 0x20;

// include/uapi/linux/fcntl.h, include/uapi/linux/memfd.h
export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_EXEC = 0x10;

// include/uapi/linux/stat.h
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_ISVTX = 0o001000;
export const S_IFLNK = 0o120000;

// include/uapi/linux/seccomp.h
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3;
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;
export const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
export const SECCOMP_ADDFD_FLAG_SETFD = 1;
export const SECCOMP_ADDFD_FLAG_SEND = 2;
export const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;

// include/uapi/linux/sched.h
export const CLONE_VM = 0x00000100;
export const CLONE_FILES = 0x00000400;
export const CLONE_VFORK = 0x00004000;
export const CLONE_THREAD = 0x00010000;
export const CLONE_NEWNS = 0x00020000;
export const CLONE_NEWCGROUP = 0x02000000;
export const CLONE_NEWUTS = 0x04000000;
export const CLONE_NEWIPC = 0x08000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

// include/linux/socket.h, include/linux/net.h, include/uapi/linux/in.h, include/uapi/asm-generic/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
/** net/socket.c: the bits of the type argument that are the type. */
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_NONBLOCK = O_NONBLOCK;
export const SOCK_CLOEXEC = O_CLOEXEC;
export const IPPROTO_TCP = 6;
export const SOL_SOCKET = 1;
export const SO_TYPE = 3;
export const SO_SNDBUF = 7;
export const SO_LINGER = 13;
export const SO_RCVLOWAT = 18;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_PASSPIDFD = 76;
export const SO_PEERPIDFD = 77;
/** Linux 6.16. */
export const SO_PASSRIGHTS = 83;
export const SHUT_RD = 0;

/** include/uapi/linux/pidfd.h: a pidfd of a thread instead of a process; Linux 6.9. */
export const PIDFD_THREAD = O_EXCL;

/** Signal numbers by name, `SIGKILL` -> 9. */
export const signals = constants.signals;

// include/uapi/linux/time.h
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_TAI = 11;
export const TIMER_ABSTIME = 1;
