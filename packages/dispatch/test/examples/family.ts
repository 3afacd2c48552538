import { action, decodeOpen, type Family, type Handler } from '../../src/index.js';

/** Opening /etc/motd yields these bytes; every other open goes its way. */
export function motd(contents: string): Family {
  const open: Handler = (context) => {
    const open = decodeOpen(context);
    if (!open.ok) return open.deny(); // unreadable: EFAULT, or a denial
    return open.text === '/etc/motd' ? action.bytes(contents) : action.continue();
  };
  return { name: 'motd', handlers: { open, openat: open, openat2: open, creat: open } };
}
