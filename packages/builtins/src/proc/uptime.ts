/**
 * /proc/uptime of a sandbox with a time of its own: it starts with the sandbox, and no time was spent idle.
 *
 * proc_uptime(5)
 */
import { TICKS_PER_SECOND } from './virtual-boot.js';

export function uptimeLine(ticks: number): string {
  return `${(ticks / TICKS_PER_SECOND).toFixed(2)} 0.00\n`;
}
