/** What tests use to work against real programs. */
export { type BusyboxImage, type BusyboxImageOptions, busyboxImage } from "./busybox-image.ts";
export { type Certificates, makeCertificates } from "./certificates.ts";
export { type Containerd, type ContainerdOptions, containerdTools, startContainerd } from "./containerd.ts";
export { describeWith } from "./describe-with.ts";
export { type DockerRegistry, startDockerRegistry } from "./docker-registry.ts";
export { type Postgres, postgresTools, startPostgres } from "./postgres.ts";
export { requiredTool, run, tool } from "./programs.ts";
export { skopeoCopy } from "./skopeo.ts";
