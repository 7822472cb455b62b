/** What the checks use of semver, which comes without types. */
declare module "semver" {
  export interface SemVer {
    readonly version: string;
  }
  export function minVersion(range: string): SemVer | null;
  export function satisfies(version: SemVer | null, range: string): boolean;
  export function valid(version: string): string | null;
}
