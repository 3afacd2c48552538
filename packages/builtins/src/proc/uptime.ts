/**
 * /proc/uptime of a sandbox with a time of its own: it starts with the sandbox, and no time was spent idle.
 *
 * proc_uptime(5)
 */
export function uptimeLine(elapsedMs: number): string {
  return `${(Math.max(0, elapsedMs) / 1000).toFixed(2)} 0.00\n`;
}
