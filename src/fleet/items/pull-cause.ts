/**
 * Why a kubelet cannot get an image, from the reason and the message of a container that waits. A kubelet passes on what
 * its runtime says, and a runtime what the registry says: containerd, CRI-O and Docker each in their own words.
 */
import type { PullCause } from "./item.ts";

/** The reasons of a kubelet that are about images (k8s pkg/kubelet/images/types.go, cri-api pkg/errors/errors.go). */
const imageReasons: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
  "ImageVolumeMountFailed",
]);

export function isAboutImage(reason: string): boolean {
  return imageReasons.has(reason);
}

/** Reasons that say it all. */
const byReason: Readonly<Record<string, PullCause>> = {
  ErrImageNeverPull: "never",
  InvalidImageName: "name-invalid",
  RegistryUnavailable: "unreachable",
  SignatureValidationFailed: "denied",
};

/** The first that is found counts: what is special before what may be a part of everything. */
const byMessage: readonly (readonly [PullCause, RegExp])[] = [
  ["name-invalid", /couldn't parse image (?:name|reference)|invalid reference format|InvalidImageName/i],
  ["never", /ErrImageNeverPull|is not present with pull policy of never/i],
  [
    "denied",
    /SignatureValidationFailed|signature validation failed|image verifier .*block|blocking pull of|source image rejected|signature was required|is denied by|is not what is required by|is too old to be used|ImageDenied|RequirementNotMet|CachedCopyTooOld|OutsidePullWindow/i,
  ],
  ["disk", /no space left on device|disk quota exceeded|not enough (?:free )?(?:disk )?space/i],
  ["throttled", /\b429\b|toomanyrequests|too many requests|pull QPS exceeded|rate limit/i],
  [
    "certificate",
    /x509:|certificate (?:signed by|has expired|is not|verify)|failed to verify certificate|server gave HTTP response to HTTPS client|tls: (?!handshake timeout)/i,
  ],
  [
    "platform",
    /no match(?:ing manifest)? for (?:current )?(?:platform|[a-z]+\/)|no image found in (?:image index|manifest list)|no matching manifest/i,
  ],
  [
    "unauthorized",
    /\b401\b|unauthori[sz]ed|authentication required|insufficient_scope|may require (?:authorization|'docker login')|no basic auth credentials|incorrect username or password/i,
  ],
  ["forbidden", /\b403\b|forbidden|access to the resource is denied|denied: /i],
  [
    "unreachable",
    /no such host|connection (?:refused|reset|timed out)|i\/o timeout|deadline exceeded|handshake timeout|no route to host|network is unreachable|server misbehaving|RegistryUnavailable|registry is unavailable|unexpected EOF|: EOF|\b50[0234]\b|bad gateway|service unavailable|temporary failure in name resolution|proxyconnect/i,
  ],
  [
    "missing",
    /manifest unknown|name unknown|not found|\b404\b|repository does not exist|repo .*not exist|unknown blob/i,
  ],
];

/** @param images names that stand in the message and say nothing of the cause, whatever they are called */
export function causeOf(reason: string, message: string, images: readonly string[]): PullCause {
  const known = Object.hasOwn(byReason, reason) ? byReason[reason] : undefined;
  if (known !== undefined) return known;
  const text = withoutNames(message, images);
  return byMessage.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";
}

/** Without addresses, digests and names of images: a registry may be called `not-found.example`. */
function withoutNames(message: string, images: readonly string[]): string {
  let text = message.replace(/https?:\/\/[^\s"\\]+/g, " ").replace(/sha256:[0-9a-f]+/g, " ");
  for (const image of images) if (image !== "") text = text.replaceAll(image, " ");
  return text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (isName(quoted) ? " " : quoted));
}

/** A text in quotes without a blank in it is a name. */
function isName(quoted: string): boolean {
  return !/\s/.test(quoted);
}

interface CauseWords {
  /** Follows "cannot pull IMAGE: ". */
  readonly title: string;
  readonly advice: string;
}

export const causeWords: Readonly<Record<PullCause, CauseWords>> = {
  "name-invalid": { title: "it is no name of an image", advice: "Correct the image in the manifest." },
  missing: {
    title: "the registry has no such image",
    advice: "Check the name and the tag, and whether the image was deleted; push it again, or use one that is there.",
  },
  forbidden: {
    title: "the registry refuses this login",
    advice: "Ask who runs the registry for pull permission, or give the pod a pull secret that has it.",
  },
  unauthorized: {
    title: "the registry asks for a login, or has no such image",
    advice: "Give the pod or its service account a pull secret for this registry, and check the name.",
  },
  throttled: {
    title: "too many pulls were made",
    advice: "Pull with a login, through a mirror, or less: IfNotPresent with a digest asks nobody.",
  },
  unreachable: {
    title: "the registry cannot be reached",
    advice: "Check name resolution, proxy and firewall of the node, and whether the registry is down.",
  },
  certificate: {
    title: "the registry's certificate is not accepted",
    advice: "Give the node's runtime the certificate authority, in hosts.toml or certs.d, or renew the certificate.",
  },
  platform: {
    title: "the image has nothing for the node's platform",
    advice: "Build the image for this platform, or keep the pods to nodes that it has one for.",
  },
  disk: {
    title: "the node's disk is full",
    advice: "Free space on the node: unused images, logs; or lower the kubelet's imageGCHighThresholdPercent.",
  },
  denied: {
    title: "a policy denies it",
    advice: "Read the message: use an image that the policy allows, or ask for an exemption.",
  },
  never: {
    title: "the pull policy is Never and the node has no copy that the pod may use",
    advice: "Load the image on the node, or write IfNotPresent.",
  },
  unknown: {
    title: "the kubelet does not say why",
    advice: "Look at the events of the pod: an older kubelet writes the cause only there.",
  },
};
