/** The capabilities of a container, by name: those that a profile's includes and excludes ask for. */
import { DOCKER_DEFAULT_CAPABILITIES } from '@sandlock/bpf';

/** include/uapi/linux/capability.h, Linux 6.18: CAP_CHOWN is 0, CAP_CHECKPOINT_RESTORE is 40. */
const NAMES = `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
  SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
  WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/).map((name) => `CAP_${name}`);

/**
 * A name that is none would make another filter than was meant, silently.
 *
 * @param given values of --cap: names with or without CAP_, in any case, `docker`, `all`, or several with commas
 * @throws what `fail` throws
 */
export function capabilitiesOf(given: readonly string[], fail: (message: string) => never): string[] {
  const held = given.flatMap((list) => list.split(',')).flatMap((word) => {
    if (word === 'docker') return DOCKER_DEFAULT_CAPABILITIES;
    if (word === 'all') return NAMES;
    const name = word.toUpperCase();
    const full = name.startsWith('CAP_') ? name : `CAP_${name}`;
    return NAMES.includes(full) ? [full] : fail(`--cap: there is no capability ${JSON.stringify(word)}`);
  });
  return [...new Set(held)];
}
