/** Tables: columns as wide as they need to be, on a terminal and in Markdown. */

/** @param {string[][]} rows the first is the head @param {boolean[]} right columns that are flushed right */
export function table(rows, right) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, n) => (right[n] ? cell.padStart(widths[n]) : cell.padEnd(widths[n]))).join('  ').trimEnd();
  return [line(rows[0]), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}

export function markdown(rows, right) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(rows[0]), line(right.map((is) => (is ? '---:' : '---'))), ...rows.slice(1).map(line)].join('\n');
}
