/** Platforms and the order in which a machine tries them (containerd/platforms `database.go`, `compare.go`). */
import { PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";

/** An operating system and a processor, normalised as containerd normalises them. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty where the architecture has no variant, or has its default one; 32-bit ARM always has one. */
  readonly variant: string;
}

const component = /^[A-Za-z0-9_.-]{1,64}$/;

/** Whether a text can be a part of a platform. */
export function isPlatformComponent(text: string): boolean {
  return component.test(text);
}

/** Reads `os/architecture[/variant]`. @throws PulleyError `PLATFORM_INVALID` */
export function parsePlatform(text: string): Platform {
  const [os = "", architecture = "", variant, ...more] = text.split("/");
  const sound = more.length === 0 && [os, architecture, variant ?? "v"].every(isPlatformComponent);
  if (!sound) {
    throw new PulleyError("PLATFORM_INVALID", `${quote(text.slice(0, 200))} is not os/architecture[/variant]`);
  }
  return normalisePlatform({ os, architecture, variant: variant ?? "" });
}

/** `linux/arm64`, `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** A platform that is only partly known, with what is missing from another one. */
export function completePlatform(known: Platform, other: Platform): Platform {
  const os = known.os === "" ? other.os : known.os;
  return known.architecture === "" ? { ...other, os } : { ...known, os };
}

export function samePlatform(one: Platform, other: Platform): boolean {
  return one.os === other.os && one.architecture === other.architecture && one.variant === other.variant;
}

/** One spelling for each platform: `macOS/aarch64/v8` is `darwin/arm64`. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  return {
    os: os === "macos" ? "darwin" : os,
    ...normaliseArchitecture(platform.architecture.toLowerCase(), platform.variant.toLowerCase()),
  };
}

function normaliseArchitecture(architecture: string, variant: string): Omit<Platform, "os"> {
  switch (architecture) {
    case "i386":
      return { architecture: "386", variant: "" };
    case "x86_64":
    case "x86-64":
    case "amd64":
      return { architecture: "amd64", variant: variant === "v1" ? "" : variant };
    case "aarch64":
    case "arm64":
      return { architecture: "arm64", variant: normaliseArm64Variant(variant) };
    case "armhf":
      return { architecture: "arm", variant: "v7" };
    case "armel":
      return { architecture: "arm", variant: "v6" };
    case "arm":
      return { architecture: "arm", variant: /^[5678]$/.test(variant) ? `v${variant}` : variant || "v7" };
    default:
      return { architecture, variant };
  }
}

function normaliseArm64Variant(variant: string): string {
  if (/^v?8(?:\.0)?$/.test(variant)) return "";
  return /^v?9(?:\.0)?$/.test(variant) ? "v9" : variant;
}

/** What a machine of this platform can run, the best first. */
export function matchOrder(platform: Platform): readonly Platform[] {
  const { os, architecture, variant } = normalisePlatform(platform);
  const also = (other: string, variants: readonly string[]) =>
    variants.map((each) => normalisePlatform({ os, architecture: other, variant: each }));
  const itself = { os, architecture, variant };
  switch (architecture) {
    case "amd64":
      return [itself, ...also("amd64", down("v", versionOf(variant) - 1, 1)), ...also("386", [""])];
    case "arm":
      return [itself, ...also("arm", down("v", versionOf(variant) - 1, 5))];
    case "arm64":
      return [itself, ...also("arm64", lowerArm64(variant)), ...also("arm", down("v", 8, 5))];
    default:
      return [itself];
  }
}

function versionOf(variant: string): number {
  return /^v[0-9]$/.test(variant) ? Number(variant.slice(1)) : 0;
}

/** v9.x runs all of v8.y up to y = x + 5, where it branched off. */
function lowerArm64(variant: string): readonly string[] {
  const match = /^v([89])(?:\.([0-9]))?$/.exec(variant);
  if (match === null) return [];
  const minor = Number(match[2] ?? 0);
  if (match[1] === "8") return down("v8.", minor - 1, 0);
  return [...down("v9.", minor - 1, 0), ...down("v8.", minor + 5, 0)];
}

function down(prefix: string, from: number, to: number): readonly string[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => `${prefix}${from - step}`);
}

const nodeArchitectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
  ppc64: "ppc64le",
};

/**
 * The platform of containers on a machine, from `process.platform` and `process.arch`: containers are Linux's even
 * where the machine is not (it runs them in a virtual machine), except on FreeBSD, which has its own.
 */
export function hostPlatform(os: string, arch: string): Platform {
  const architecture = Object.hasOwn(nodeArchitectures, arch) ? (nodeArchitectures[arch] ?? arch) : arch;
  return normalisePlatform({ os: os === "freebsd" ? "freebsd" : "linux", architecture, variant: "" });
}
