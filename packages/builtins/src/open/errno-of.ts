import { errnoNumber, type ErrnoName } from '@sandlock/sys';

/** The errno of a refusal of the kernel, whoever asked, sys or Node; undefined for any other error. */
export function errnoOf(error: unknown): ErrnoName | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined && code !== undefined && errnoNumber(code) !== undefined ? code as ErrnoName : undefined;
}
