const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A number of bytes for people, in powers of 1000 as docker and crictl print them: `999 B`, `62.5 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
