import { describe, expect, it } from "vitest";
import { causeOf } from "./pull-cause.ts";

const image = "ghcr.io/acme/web:2";
const containerd = (rest: string) =>
  `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${rest}`;

describe("why a pull fails", () => {
  it.each([
    [
      "InvalidImageName",
      `Failed to apply default image tag "Web": couldn't parse image name "Web": invalid reference format`,
      "name-invalid",
    ],
    ["ErrImageNeverPull", `Container image "${image}" is not present with pull policy of Never`, "never"],
    // containerd
    ["ErrImagePull", `rpc error: code = NotFound desc = ${containerd(`${image}: not found`)}`, "missing"],
    [
      "ErrImagePull",
      containerd(
        "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
      ),
      "unauthorized",
    ],
    [
      "ErrImagePull",
      containerd(
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=x: 401 Unauthorized",
      ),
      "unauthorized",
    ],
    [
      "ErrImagePull",
      containerd("unexpected status from HEAD request to https://ghcr.io/v2/acme/web/manifests/2: 403 Forbidden"),
      "forbidden",
    ],
    [
      "ErrImagePull",
      containerd(
        "unexpected status from HEAD request to https://registry-1.docker.io/v2/x: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
      ),
      "throttled",
    ],
    [
      "ErrImagePull",
      containerd(
        'failed to do request: Head "https://ghcr.io/v2/acme/web/manifests/2": dial tcp: lookup ghcr.io on 10.96.0.10:53: no such host',
      ),
      "unreachable",
    ],
    [
      "ErrImagePull",
      containerd('failed to do request: Head "https://ghcr.io/v2/": dial tcp 10.0.0.1:443: i/o timeout'),
      "unreachable",
    ],
    [
      "ErrImagePull",
      containerd("unexpected status from HEAD request to https://ghcr.io/v2/: 503 Service Unavailable"),
      "unreachable",
    ],
    [
      "ErrImagePull",
      containerd(
        'failed to do request: Head "https://ghcr.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      ),
      "certificate",
    ],
    [
      "ErrImagePull",
      containerd('failed to do request: Head "https://ghcr.io/v2/": net/http: TLS handshake timeout'),
      "unreachable",
    ],
    [
      "ErrImagePull",
      containerd('failed to do request: Head "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client'),
      "certificate",
    ],
    [
      "ErrImagePull",
      `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": no match for platform in manifest: not found`,
      "platform",
    ],
    [
      "ErrImagePull",
      `failed to pull and unpack image "${image}": failed to extract layer sha256:abc: write /var/lib/x: no space left on device`,
      "disk",
    ],
    [
      "ErrImagePull",
      `failed to pull and unpack image "${image}": image verifier bindir blocked pull of ${image} with digest sha256:abc for reason: not found`,
      "denied",
    ],
    // CRI-O
    ["ErrImagePull", `reading manifest 2 in ghcr.io/acme/web: manifest unknown`, "missing"],
    [
      "ErrImagePull",
      `copying system image from manifest list: Source image rejected: A signature was required, but no signature exists`,
      "denied",
    ],
    [
      "ErrImagePull",
      `choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux"`,
      "platform",
    ],
    ["SignatureValidationFailed", `image pull failed for ${image} because the signature validation failed`, "denied"],
    ["RegistryUnavailable", `image pull failed for ${image} because the registry is unavailable: x`, "unreachable"],
    // Docker
    [
      "ErrImagePull",
      "Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries",
      "platform",
    ],
    ["ErrImagePull", 'Error response from daemon: Head "https://x/v2/": no basic auth credentials', "unauthorized"],
    // a kubelet, and Pulley
    ["ErrImagePull", "pull QPS exceeded", "throttled"],
    ["ErrImagePull", `Image "${image}" is denied by fleet/only-ours: use ours`, "denied"],
    ["ImagePullBackOff", `Back-off pulling image "${image}"`, "unknown"],
    [
      "ImagePullBackOff",
      `Back-off pulling image "${image}": ErrImagePull: ${containerd(`${image}: not found`)}`,
      "missing",
    ],
    ["constructor", "", "unknown"],
  ])("%s, %s: %s", (reason, message, cause) => {
    expect(causeOf(reason, message, [image])).toBe(cause);
  });

  it("is not taken from the names of images and hosts", () => {
    const name = "not-found.example/forbidden/x509:429";
    const message = `Back-off pulling image "${name}": ErrImagePull: failed to resolve reference "${name}": failed to do request: Head "https://not-found.example/v2/": dial tcp 10.0.0.1:443: connect: connection refused`;
    expect(causeOf("ImagePullBackOff", message, [name])).toBe("unreachable");
    expect(causeOf("ImagePullBackOff", `Back-off pulling image "${name}"`, [])).toBe("unknown");
  });
});
