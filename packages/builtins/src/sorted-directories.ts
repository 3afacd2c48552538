/**
 * The sortedDirectories family: every directory is listed in the order of its names.
 *
 * File systems list in an order of their own, which depends on hashes with a secret, on how entries came and went, and
 * on the file system. Here all listings are answered by the supervisor, so a program that reads very many directories is
 * slowed down. Register it before a family that lists /proc, and give it what that one shows as `visible`.
 * getdents64(2), getdents(2)  ->  bytes, EBADF, ENOTDIR, EINVAL, EFAULT, ENOENT, EIO
 */
import type { Family } from '@sandlock/dispatch';

import { listingHandlers } from './directory/listing-handlers.js';
import type { PositionStore } from './directory/position-store.js';
import { sortedListing, type Visible } from './directory/sorted-listing.js';

export interface SortedDirectoriesOptions {
  /** Which entries of a directory are to be seen. @param fd the directory, ours */
  readonly visible?: Visible | undefined;
  /** Where targets are in directories, for who looks at them as well. */
  readonly positions?: PositionStore | undefined;
}

export function sortedDirectories({ visible, positions }: SortedDirectoriesOptions = {}): Family {
  return { name: 'sortedDirectories', handlers: listingHandlers(sortedListing(visible), { positions }) };
}
