/**
 * The handlers of a family that lists directories its own way.
 *
 * getdents64(2), getdents(2)  ->  bytes, EBADF, ENOTDIR, EINVAL, EFAULT, ENOENT, EIO
 * lseek(2), where positions are kept by the supervisor  ->  continue
 */
import { action, asInt32, type FamilyHandler, type Handler, type When } from '@sandlock/dispatch';

import { answerListing, type Listing } from './answer-listing.js';
import { PositionStore } from './position-store.js';
import { processOf } from './process-of.js';

export interface ListingHandlersOptions {
  /** Which descriptors; left out: all. */
  readonly when?: When | undefined;
  /** One for all families that list the same directories. */
  readonly positions?: PositionStore | undefined;
}

export function listingHandlers(
  listing: Listing, { when, positions = new PositionStore() }: ListingHandlersOptions = {},
): Record<string, FamilyHandler> {
  const list: Handler = (context) => answerListing(context, positions, listing);
  const seek: Handler = (context) => {
    // The kernel moves the position that we go by from then on.
    positions.forget(processOf(context.pid), asInt32(context.args[0]!));
    return action.continue();
  };
  const entry = (handler: Handler): FamilyHandler => ({ handler, onException: 'denyEio', ...when !== undefined && { when } });
  return {
    getdents64: entry(list), getdents: entry(list),
    ...!positions.copiesDescriptors && { lseek: entry(seek) },
  };
}
