/**
 * FilterError: what is wrong with a filter, a description or a profile, and where.
 *
 * One class for the package. `code` is for programs and stays; `message` is for people and may change.
 */

export type FilterErrorCode =
  /** A description is not of the documented shape. */
  | 'ERR_SANDLOCK_FILTER_DESCRIPTION'
  /** An architecture that is unknown, named twice, or has no table at hand. */
  | 'ERR_SANDLOCK_FILTER_ARCH'
  /** A syscall name the architecture's table lacks, or a number it cannot have. */
  | 'ERR_SANDLOCK_FILTER_SYSCALL'
  /** A condition on an argument that does not exist, or a value that does not fit. */
  | 'ERR_SANDLOCK_FILTER_ARGUMENT'
  /** An action that is unknown, or data that does not fit into it. */
  | 'ERR_SANDLOCK_FILTER_ACTION'
  /** Two rules of which the second can never decide, or that contradict each other. */
  | 'ERR_SANDLOCK_FILTER_CONFLICT'
  /** More instructions than the kernel takes. */
  | 'ERR_SANDLOCK_FILTER_TOO_LONG'
  /** Bytes that are no whole number of instructions. */
  | 'ERR_SANDLOCK_FILTER_BYTES'
  /** A program that the kernel would refuse. */
  | 'ERR_SANDLOCK_FILTER_INVALID'
  /** A program that uses more than this analysis follows. */
  | 'ERR_SANDLOCK_FILTER_ANALYSIS'
  /** A JSON profile that is not what the OCI or Docker form says. */
  | 'ERR_SANDLOCK_FILTER_PROFILE';

export class FilterError extends Error {
  override readonly name = 'FilterError';
  readonly code: FilterErrorCode;
  /** The place in what was given: `architectures[0].rules[3].when[1].value`, or a JSON path. */
  readonly path: string | undefined;

  constructor(code: FilterErrorCode, message: string, options?: { path?: string | undefined; cause?: unknown }) {
    super(options?.path === undefined ? message : `${options.path}: ${message}`,
      options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.path = options?.path;
  }
}
