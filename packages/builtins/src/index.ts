// Families
export { listen, type ListenOptions, type SocketCopies } from './listen/listen.js';
export { hostname, type HostnameFamily, type HostnameOptions } from './hostname.js';
export { affinity, type AffinityOptions } from './cpu/affinity.js';
export { type CpuChoice } from './cpu/visible-cpus.js';
export { memory, type MemoryFamily, type MemoryOptions, type OnMemoryExceeded } from './memory/memory.js';
export { endings } from './endings.js';
export { processes, type ProcessesFamily, type ProcessesOptions } from './processes.js';
export { random, type RandomFamily } from './random/random.js';
export { virtualTime, type VirtualTimeOptions } from './time/virtual-time.js';
export { fileTimes, type FileTimesOptions } from './file-times/file-times.js';
export { startClock, type VirtualClock } from './time/virtual-clock.js';
export { sortedDirectories, type SortedDirectoriesOptions } from './sorted-directories.js';

// What families share with the filter
export { OTHER_PROCESS_CALLS } from './other-process-calls.js';
export { WEAKER_PARENT_DEATH } from './parent-death.js';

// Memory of programs, changed before they run
export { freshImages, type ImagePatch } from './image/fresh-image.js';

// The vDSO
export { vdsoPatch } from './vdso/vdso-patch.js';
export { type VdsoChanges } from './vdso/vdso-patches.js';
export { VdsoError } from './vdso/errors.js';

// Who is in a sandbox
export { ProcessTree, type Discovery } from './process-tree.js';
export { isLiving, readStat, type ProcessStat } from './process-stat.js';

// What stands in for files of the machine
export { hosts, type HostEntry } from './hosts.js';
export { machineId } from './machine-id.js';
export { viewFile, type ViewContent } from './views/view-file.js';
export { type Asker, type Late, type View, type ViewOpen, type ViewOpener, type ViewRequest, type ViewStat } from './views/view.js';
export { type Grants } from './views/grants.js';
export { type Members } from './views/members.js';
export { views, type ViewsOptions } from './views/views.js';
export { fileIdentity } from './views/file-identity.js';
export { absent } from './views/absent.js';
export { watchedFd, watchedFdBase } from './views/watched-fds.js';

// Listings of directories
export { type LateBegin, type Listing } from './directory/answer-listing.js';
export { listingHandlers, type ListingHandlersOptions } from './directory/listing-handlers.js';
export { type Visible } from './directory/sorted-listing.js';
export { kernelEntries, wholeDirectory } from './directory/kernel-entries.js';
export { PositionStore } from './directory/position-store.js';
export { type DirectoryEntry } from './directory/records.js';
export { type TargetDirectory } from './directory/target-directory.js';

// What /proc says
export { proc, type ProcFamily, type ProcOptions } from './proc/proc.js';
export { visibleEntries, type ProcListingOptions } from './proc/proc-listing.js';
export { type MemoryUse } from './proc/memory-use.js';
export { type MountTable, type VirtualMount } from './proc/mount-tables.js';
export { fileSystemName } from './proc/file-system-name.js';

// Opening files for a target
export { openOnBehalf, type OpenJudge, type OpenSubject } from './open/open-on-behalf.js';
