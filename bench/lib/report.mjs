/** Figures as rows. A ratio within its reach says so; what has no reach stands there to be compared. */
import { cpus, loadavg, release } from 'node:os';

const RIGHT = [false, false, true, true, true, true];

export function machine() {
  return `Linux ${release()}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node.js ${process.versions.node}`;
}

/** What else the machine is doing: with more to run than processors, a run of several processes waits for its turn at each hand-over. */
export function load() {
  const [minute] = loadavg();
  const busy = minute > cpus().length ? ', more than there are processors: every figure includes waiting' : '';
  return `load average ${minute.toFixed(1)}${busy}`;
}

export function figureRows(figures) {
  return {
    right: RIGHT,
    rows: [['figure', 'against', 'median', 'base', 'ratio', 'reach'], ...figures.map((figure) => {
      const { figure: name, against, unit, measured, base, reach } = figure;
      const within = reach === undefined ? '' : `${ratio(figure) <= reach ? '≤' : 'above'} ${reach}`;
      return [name, against, `${digits(measured.median)} ${unit}`, `${digits(base.median)} ${unit}`, ratio(figure).toFixed(2), within];
    })],
  };
}

export function notificationRows(rows) {
  return {
    right: [false, true, true, false],
    rows: [['program', 'notifications', 'of concern', 'by call'], ...rows.map(({ program, total, screened, syscalls }) => [
      program.length > 60 ? `${program.slice(0, 57)}...` : program, String(total), String(total - screened),
      Object.entries(syscalls).sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(', '),
    ])],
  };
}

export function ratio({ measured, base }) {
  return measured.median / base.median;
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
