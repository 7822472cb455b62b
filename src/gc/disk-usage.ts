/** The kubelet's arithmetic, which is Go's on 64-bit integers (k8s pkg/kubelet/images/image_gc_manager.go). */

/** How full a file system is, in percent, rounded up. */
export function usagePercent({ capacity, available }: { capacity: number; available: number }): number {
  const [whole, free] = [BigInt(capacity), BigInt(Math.min(available, capacity))];
  return 100 - Number((free * 100n) / whole);
}

/** Bytes to free until a file system is no fuller than `lowThreshold` percent. */
export function bytesToFree(
  { capacity, available }: { capacity: number; available: number },
  lowThreshold: number,
): number {
  return Number((BigInt(capacity) * BigInt(100 - lowThreshold)) / 100n - BigInt(Math.min(available, capacity)));
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** As the kubelet writes a size into its events: `512 B`, `10.0 GiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
