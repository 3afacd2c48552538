/** Which ports a TCP socket may take connections on: those that may be bound. */

export type BindPorts = readonly number[] | 'any';

/** @throws {RangeError} a port is no whole number from 0 to 65535 */
export function portTest(bindPorts: BindPorts): (port: number) => boolean {
  if (bindPorts === 'any') return () => true;
  const ports = new Set(bindPorts);
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`Port ${port} is not a whole number from 0 to 65535.`);
  }
  // A port of the kernel's choice may be any.
  return ports.has(0) ? () => true : (port) => ports.has(port);
}
