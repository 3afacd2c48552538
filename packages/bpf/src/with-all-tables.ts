/** The functions that name system calls, with every architecture's table at hand. */
import { type CompileOptions, compileFilter as compileWith } from './compile-filter.js';
import { type FilterDescription } from './description.js';
import { type Filter } from './instruction.js';
import { allTables } from './tables/all.js';

/**
 * Compiles a description into a filter that the kernel takes.
 *
 * @throws {FilterError} for whatever is wrong with the description, with its place;
 *   ERR_SANDLOCK_FILTER_TOO_LONG beyond 4096 instructions
 */
export function compileFilter(description: FilterDescription, options: CompileOptions = {}): Filter {
  return compileWith(description, { ...options, tables: options.tables ?? allTables });
}
