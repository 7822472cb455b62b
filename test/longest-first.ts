/** The order of the test files: what takes longest begins first, so that no worker is left alone with it at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, with the longest first. All others follow as Vitest orders them. */
const longest = [
  "test/mirror/containerd-store",
  "src/audit/fix/property",
  "test/containers/run",
  "test/injection/weather",
  "src/store/containerd/index",
  "scripts/support/vitest",
  "test/e2e/file-systems",
  "src/store/embedded/processes",
  "test/weather/public",
  "test/e2e/kill",
  "test/parity/",
  "src/audit/formats/formats",
  "test/cri/",
  "test/containerd",
  "test/e2e/",
  "test/",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((part) => moduleId.includes(`/${part}`));
  return place < 0 ? longest.length : place;
}
