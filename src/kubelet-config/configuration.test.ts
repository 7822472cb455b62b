import { describe, expect, it } from "vitest";
import { type GivenConfiguration, kubeletConfiguration, readKubeletConfiguration } from "./read.ts";

const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

/** What is wrong with a body under the usual head, as `line:column message`; the body begins in line 3. */
function complaints(body: string, flags: GivenConfiguration = {}): readonly string[] {
  const { problems } = readKubeletConfiguration(head + body, "kubelet.yaml", flags);
  return problems.map(({ source, message }) => `${source.line}:${source.column} ${message}`);
}

function read(body: string, flags: GivenConfiguration = {}) {
  const { configuration, problems, warnings } = readKubeletConfiguration(head + body, "kubelet.yaml", flags);
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  return configuration;
}

describe("a configuration that says nothing", () => {
  it("is the kubelet's defaults", () => {
    expect(read("")).toEqual(kubeletConfiguration());
    expect(kubeletConfiguration()).toMatchObject({
      serializeImagePulls: true,
      maxParallelImagePulls: undefined,
      registryPullQPS: 5,
      registryBurst: 10,
      imageGCHighThresholdPercent: 85,
      imageGCLowThresholdPercent: 80,
      imageMinimumGCAge: 120_000,
      imageMaximumGCAge: 0,
      imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages",
      preloadedImagesVerificationAllowlist: [],
      nodeStatusMaxImages: 50,
      crashLoopBackOff: { initial: 10_000, maxContainerRestartPeriod: 300_000 },
      runtimeRequestTimeout: 120_000,
      containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
      imageServiceEndpoint: "unix:///run/containerd/containerd.sock",
      staticPodPath: undefined,
      fileCheckFrequency: 20_000,
      evictionPressureTransitionPeriod: 300_000,
    });
  });

  it("has the thresholds of a kubelet on Linux", () => {
    const shown = kubeletConfiguration().eviction.map(({ signal, text }) => `${signal} ${text}`);
    expect(shown).toEqual([
      "memory.available 100Mi",
      "nodefs.available 10%",
      "nodefs.inodesFree 5%",
      "imagefs.available 15%",
      "imagefs.inodesFree 5%",
    ]);
  });
});

describe("a field", () => {
  it.each<[string, object]>([
    ["serializeImagePulls: false\nmaxParallelImagePulls: 3", { serializeImagePulls: false, maxParallelImagePulls: 3 }],
    ["maxParallelImagePulls: 2", { serializeImagePulls: false }],
    ["maxParallelImagePulls: 1", { serializeImagePulls: true }],
    ["registryPullQPS: 0\nregistryBurst: 0", { registryPullQPS: 0, registryBurst: 10 }],
    ["imageGCHighThresholdPercent: 100", { imageGCHighThresholdPercent: 100, imageGCLowThresholdPercent: 80 }],
    ["imageGCLowThresholdPercent: 0", { imageGCLowThresholdPercent: 0 }],
    ["imageMinimumGCAge: 0s", { imageMinimumGCAge: 120_000 }],
    [
      "imageMinimumGCAge: 1h30m\nimageMaximumGCAge: 168h",
      { imageMinimumGCAge: 5_400_000, imageMaximumGCAge: 604_800_000 },
    ],
    ["imageMaximumGCAge: null", { imageMaximumGCAge: 0 }],
    [
      "imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\n" +
        "preloadedImagesVerificationAllowlist: [registry.acme.io/base, quay.io/*]",
      { preloadedImagesVerificationAllowlist: ["registry.acme.io/base", "quay.io/*"] },
    ],
    ["featureGates: {KubeletEnsureSecretPulledImages: false}", { imagePullCredentialsVerificationPolicy: undefined }],
    ["featureGates: {AllBeta: false}", { imagePullCredentialsVerificationPolicy: undefined }],
    [
      "featureGates: {AllBeta: false, KubeletEnsureSecretPulledImages: true}",
      { imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages" },
    ],
    ["nodeStatusMaxImages: -1", { nodeStatusMaxImages: -1 }],
    [
      "crashLoopBackOff: {maxContainerRestartPeriod: 4s}",
      { crashLoopBackOff: { initial: 4000, maxContainerRestartPeriod: 4000 } },
    ],
    [
      "featureGates: {ReduceDefaultCrashLoopBackOffDecay: true, KubeletCrashLoopBackOffMax: false}",
      { crashLoopBackOff: { initial: 1000, maxContainerRestartPeriod: 60_000 } },
    ],
    ["runtimeRequestTimeout: 15m", { runtimeRequestTimeout: 900_000 }],
    [
      "containerRuntimeEndpoint: unix:///run/crio/crio.sock",
      {
        containerRuntimeEndpoint: "unix:///run/crio/crio.sock",
        imageServiceEndpoint: "unix:///run/crio/crio.sock",
      },
    ],
    ["imageServiceEndpoint: unix:///run/pulley.sock", { imageServiceEndpoint: "unix:///run/pulley.sock" }],
    [
      "staticPodPath: /etc/kubernetes/manifests\nfileCheckFrequency: 5s",
      { staticPodPath: "/etc/kubernetes/manifests", fileCheckFrequency: 5000 },
    ],
  ])("%s", (body, expected) => expect(read(body)).toMatchObject(expected));

  it("is read from JSON too", () => {
    const text = '{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","registryBurst":3}';
    expect(readKubeletConfiguration(text, "kubelet.json")).toMatchObject({
      configuration: { registryBurst: 3 },
      problems: [],
    });
  });

  it("gives way to the command line, also in what is wrong with it", () => {
    const flags = { imageGCHighThresholdPercent: 50, registryBurst: undefined };
    expect(
      read("imageGCHighThresholdPercent: 200\nimageGCLowThresholdPercent: 40\nregistryBurst: 7", flags),
    ).toMatchObject({
      imageGCHighThresholdPercent: 50,
      registryBurst: 7,
    });
    expect(complaints("imageGCLowThresholdPercent: 60", flags)).toEqual([
      "3:29 invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) 60 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 50",
    ]);
  });
});

const prefix = "invalid configuration: ";

describe("the kubelet refuses", () => {
  it.each<[string, readonly string[]]>([
    [
      "imageGCHighThresholdPercent: 101",
      [
        `3:30 ${prefix}imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, inclusive`,
      ],
    ],
    [
      "imageGCLowThresholdPercent: -1",
      [`3:29 ${prefix}imageGCLowThresholdPercent (--image-gc-low-threshold) -1 must be between 0 and 100, inclusive`],
    ],
    [
      "imageGCHighThresholdPercent: 80",
      [
        `1:1 ${prefix}imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 80`,
      ],
    ],
    ["imageMinimumGCAge: -1s", [`3:20 ${prefix}imageMinimumGCAge -1s must not be negative`]],
    ["imageMaximumGCAge: -1m", [`3:20 ${prefix}imageMaximumGCAge -1m0s must not be negative`]],
    ["imageMaximumGCAge: 2m", [`3:20 ${prefix}imageMaximumGCAge 2m0s must be greater than imageMinimumGCAge 2m0s`]],
    [
      "imageMaximumGCAge: 1h\nfeatureGates: {ImageMaximumGCAge: false}",
      [`3:20 ${prefix}ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge`],
    ],
    [
      "nodeStatusMaxImages: -2",
      [`3:22 ${prefix}nodeStatusMaxImages (--node-status-max-images) -2 must be -1 or greater`],
    ],
    ["registryPullQPS: -1", [`3:18 ${prefix}registryPullQPS (--registry-qps) -1 must not be a negative number`]],
    ["registryBurst: -1", [`3:16 ${prefix}registryBurst (--registry-burst) -1 must not be a negative number`]],
    ["maxParallelImagePulls: 0", [`3:24 ${prefix}maxParallelImagePulls 0 must be a positive number`]],
    [
      "serializeImagePulls: true\nmaxParallelImagePulls: 2",
      [
        `4:24 ${prefix}maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false`,
      ],
    ],
    [
      "crashLoopBackOff:\n  maxContainerRestartPeriod: 500ms",
      [`4:30 ${prefix}CrashLoopBackOff.MaxContainerRestartPeriod (got: 0.5 seconds) must be set between 1s and 300s`],
    ],
    [
      "crashLoopBackOff: {maxContainerRestartPeriod: 1m}\nfeatureGates: {KubeletCrashLoopBackOffMax: false}",
      [
        `3:47 ${prefix}FeatureGate KubeletCrashLoopBackOffMax not enabled, CrashLoopBackOff.MaxContainerRestartPeriod must not be set`,
      ],
    ],
    [
      "imagePullCredentialsVerificationPolicy: Sometimes",
      [
        `3:41 ${prefix}option "Sometimes" specified for imagePullCredentialsVerificationPolicy. Valid options are "NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"`,
      ],
    ],
    [
      "preloadedImagesVerificationAllowlist: [a]",
      [
        `3:39 ${prefix}can't set \`preloadedImagesVerificationAllowlist\` if \`imagePullCredentialsVertificationPolicy\` is not "NeverVerifyAllowlistedImages"`,
      ],
    ],
    [
      "imagePullCredentialsVerificationPolicy: AlwaysVerify\nfeatureGates: {KubeletEnsureSecretPulledImages: false}",
      [
        `3:41 ${prefix}\`imagePullCredentialsVerificationPolicy\` must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled`,
      ],
    ],
    ["evictionHard:\n  imagefs.free: 10%", ["4:17 unsupported eviction signal imagefs.free"]],
    [
      'evictionHard:\n  imagefs.available: "-10%"',
      ["4:22 eviction percentage threshold imagefs.available must be >= 0%: -10%"],
    ],
    [
      "evictionHard: {imagefs.available: 110%}",
      ["3:35 eviction percentage threshold imagefs.available must be <= 100%: 110%"],
    ],
    ['evictionHard: {imagefs.available: "0"}', ["3:35 eviction threshold imagefs.available must be positive: 0"]],
    ["evictionHard: {imagefs.available: x%}", ['3:35 strconv.ParseFloat: parsing "x": invalid syntax']],
    [
      "evictionHard: {imagefs.available: lots}",
      ["3:35 quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ],
    [
      "evictionHard: {imagefs.available: 1KiB}",
      ["3:35 quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ],
    ["evictionHard: {imagefs.available: 1KK}", ["3:35 unable to parse quantity's suffix"]],
    [
      "evictionSoft: {imagefs.available: 20%}",
      ["3:35 grace period must be specified for the soft eviction threshold imagefs.available"],
    ],
    [
      "evictionSoft: {imagefs.available: 20%}\nevictionSoftGracePeriod: {imagefs.available: 7d}",
      ['4:46 time: unknown unit "d" in duration "7d"'],
    ],
    [
      "evictionMinimumReclaim: {imagefs.available: 0%}",
      ["3:45 eviction percentage minimum reclaim imagefs.available must be positive: 0%"],
    ],
    [
      "registryBurst: many",
      ["3:16 json: cannot unmarshal string into Go struct field KubeletConfiguration.registryBurst of type int32"],
    ],
    [
      "registryPullQPS: 2.5",
      [
        "3:18 json: cannot unmarshal number 2.5 into Go struct field KubeletConfiguration.registryPullQPS of type int32",
      ],
    ],
    [
      "imageMinimumGCAge: 120",
      ["3:20 json: cannot unmarshal number into Go struct field KubeletConfiguration.imageMinimumGCAge of type string"],
    ],
    ["imageMinimumGCAge: '120'", ['3:20 time: missing unit in duration "120"']],
    [
      "serializeImagePulls: maybe",
      ["3:22 json: cannot unmarshal string into Go struct field KubeletConfiguration.serializeImagePulls of type bool"],
    ],
    [
      "evictionHard: 10%",
      [
        "3:15 json: cannot unmarshal string into Go struct field KubeletConfiguration.evictionHard of type map[string]string",
      ],
    ],
    [
      "evictionHard: {imagefs.available: 10}",
      ["3:35 json: cannot unmarshal number into Go struct field KubeletConfiguration.evictionHard of type string"],
    ],
    [
      "crashLoopBackOff: 5m",
      [
        "3:19 json: cannot unmarshal string into Go struct field KubeletConfiguration.crashLoopBackOff of type v1beta1.CrashLoopBackOffConfig",
      ],
    ],
  ])("%s", (body, expected) => expect(complaints(body)).toEqual(expected));

  it("everything at once", () => {
    const body =
      "registryBurst: -1\nimageMinimumGCAge: soon\nnodeStatusMaxImages: -9\nevictionHard: {imagefs.free: 1}\n";
    expect(complaints(body)).toHaveLength(4);
  });

  it.each([
    ["", '1:1 kubelet config file "f" was empty'],
    ["# nothing\n", "1:1 failed to decode: Object 'Kind' is missing in 'null'"],
    ["[]", "1:1 this is not a Kubernetes object: it is a list"],
    ["a: [", "1:5"],
    [
      "apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration",
      '1:13 failed to decode: no kind "KubeletConfiguration" is registered for version "kubelet.config.k8s.io/v1" in scheme "pkg/kubelet/apis/config/scheme/scheme.go:33"; did you mean kubelet.config.k8s.io/v1beta1?',
    ],
    ["apiVersion: v1\nkind: Pod", '2:7 failed to decode: no kind "Pod" is registered for version "v1" in scheme "pkg/'],
    [
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig",
      "2:7 failed to cast object to KubeletConfiguration, unexpected type: kubelet.config.k8s.io/v1beta1, Kind=CredentialProviderConfig",
    ],
    [`${head}---\n${head}`, "4:1 a second document: a kubelet reads only the first one of a file"],
    [`${head}registryBurst: 1\nregistryBurst: 2`, '4:1 the key "registryBurst" is here twice'],
  ])("a file that is no configuration: %j", (text, expected) => {
    const [problem] = readKubeletConfiguration(text, "f").problems;
    expect(`${problem?.source.line}:${problem?.source.column} ${problem?.message}`).toContain(expected);
  });

  it("on the command line alone", () => {
    expect(() => kubeletConfiguration({ imageGCHighThresholdPercent: 70 })).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("80 must be less than") }),
    );
  });
});

describe("an unknown field", () => {
  it.each([
    [
      "imageGcHighThresholdPercent: 70",
      '3:1 strict decoding error: unknown field "imageGcHighThresholdPercent"; did you mean imageGCHighThresholdPercent?; it has no effect',
    ],
    [
      "crashLoopBackOff:\n  maxRestartPeriod: 1m",
      '4:3 strict decoding error: unknown field "crashLoopBackOff.maxRestartPeriod"; it has no effect',
    ],
    ["entirelyNew: {a: 1}", '3:1 strict decoding error: unknown field "entirelyNew"; it has no effect'],
  ])("%s is told, and does no harm: a kubelet starts with it too", (body, expected) => {
    const { configuration, problems, warnings } = readKubeletConfiguration(head + body, "kubelet.yaml");
    expect(problems).toEqual([]);
    expect(warnings.map(({ source, message }) => `${source.line}:${source.column} ${message}`)).toEqual([expected]);
    expect(configuration).toEqual(kubeletConfiguration());
  });

  it("is none of those that other parts of a kubelet read", () => {
    const body = [
      "authentication: {anonymous: {enabled: false}, webhook: {enabled: true, cacheTTL: 2m}, x509: {clientCAFile: /ca}}",
      "authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 5m}}",
      "clusterDNS: [10.96.0.10]",
      "clusterDomain: cluster.local",
      "cgroupDriver: systemd",
      "memorySwap: {swapBehavior: NoSwap}",
      "logging: {format: text, options: {json: {infoBufferSize: '0'}}}",
      "registerWithTaints: [{key: a, effect: NoSchedule}]",
      "systemReserved: {cpu: 100m}",
      "resolvConf: /run/systemd/resolve/resolv.conf",
      "rotateCertificates: true",
      "volumeStatsAggPeriod: 0s",
    ];
    expect(read(body.join("\n"))).toEqual(kubeletConfiguration());
  });
});

describe("thresholds", () => {
  it("are those of the file alone, unless the defaults are to be merged", () => {
    const texts = (body: string) => read(body).eviction.map(({ signal, text }) => `${signal} ${text}`);
    expect(texts("evictionHard: {imagefs.available: 1Gi}")).toEqual(["imagefs.available 1Gi"]);
    expect(texts("evictionHard: {imagefs.available: 1Gi}\nmergeDefaultEvictionSettings: true")).toEqual([
      "memory.available 100Mi",
      "nodefs.available 10%",
      "nodefs.inodesFree 5%",
      "imagefs.available 1Gi",
      "imagefs.inodesFree 5%",
    ]);
    expect(texts("evictionHard: {imagefs.available: 0%, nodefs.available: 100%}")).toEqual([]);
  });

  it("have values, grace periods and what is to be gained at least", () => {
    const body = [
      "evictionHard: {imagefs.available: 1Gi}",
      "evictionSoft: {imagefs.available: 20%}",
      "evictionSoftGracePeriod: {imagefs.available: 1m30s}",
      "evictionMinimumReclaim: {imagefs.available: 500Mi}",
    ];
    const minimumReclaim = { kind: "quantity", quantity: 500 * 1024 ** 2 };
    const common = { signal: "imagefs.available", minimumReclaim };
    expect(read(body.join("\n")).eviction).toEqual([
      { ...common, text: "1Gi", value: { kind: "quantity", quantity: 1024 ** 3 }, gracePeriod: undefined },
      { ...common, text: "20%", value: { kind: "share", share: 0.2 }, gracePeriod: 90_000 },
    ]);
  });
});
