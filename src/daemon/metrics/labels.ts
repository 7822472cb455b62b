/** Label values, limited in number. */

/** The kubelet's classes of image sizes, each for more than its lower bound; a megabyte has 1024² bytes here. */
const megabyte = 1024 * 1024;
const gigabyte = 1024 * megabyte;
const sizeClasses: readonly (readonly [above: number, label: string])[] = [
  [100 * gigabyte, "GT100GB"],
  [60 * gigabyte, "60GB-100GB"],
  [40 * gigabyte, "40GB-60GB"],
  [30 * gigabyte, "30GB-40GB"],
  [20 * gigabyte, "20GB-30GB"],
  [10 * gigabyte, "10GB-20GB"],
  [5 * gigabyte, "5GB-10GB"],
  [gigabyte, "1GB-5GB"],
  [500 * megabyte, "500MB-1GB"],
  [100 * megabyte, "100MB-500MB"],
  [10 * megabyte, "10MB-100MB"],
  [0, "0-10MB"],
];

/** @param bytes 0 where that is not known (k8s pkg/kubelet/metrics/metrics.go, `GetImageSizeBucket`) */
export function sizeClass(bytes: number): string {
  return sizeClasses.find(([above]) => bytes > above)?.[1] ?? "N/A";
}

/** As the kubelet names operations: `PullImage` is `pull_image`, `RunPodSandbox` is `run_podsandbox`. */
export function operationType(method: string): string {
  const words = method.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  return words.replace("pod_sandbox", "podsandbox");
}

/** Keeps the first `most` different values; every other one becomes `other`. */
export function limitedValues(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most || value.length > 200) return "other";
    known.add(value);
    return value;
  };
}
