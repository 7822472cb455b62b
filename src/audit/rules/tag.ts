/** Rules about what identifies the version of an image: its tag and its digest. */
import type { Subject } from "../subject.ts";
import { type ContainerRule, exampleDigest, imagePlace, imageText, nameOf } from "./rule.ts";

/** `nginx`, and `registry:5000/app`, where the colon belongs to the port. */
export const tagMissing = {
  id: "tag-missing",
  meta: {
    title: "The image has no tag and no digest",
    why: "The tag latest is implied, so each node runs what was latest when it pulled.",
    advice: "Write the tag of a version, or pin the digest.",
    severity: { recommended: "warning", always: "warning", offline: "error" },
    example: { found: "image: registry.example.com/web", notFound: "image: registry.example.com/web:1.4" },
  },
  check(subject) {
    const { reference } = subject;
    if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) return undefined;
    const image = imageText(subject);
    const meaning = subject.format === "openfaas" ? "so faas-cli deploys" : "so it means";
    return {
      at: imagePlace(subject),
      message: `${image} has no tag and no digest, ${meaning} ${image}:latest, which can be another image at each pull`,
      // Nobody has chosen a tag, so no fix writes one.
      advice: `Write the version that you want, ${image}:VERSION, or pin ${pinning(subject)}.`,
    };
  },
} as const satisfies ContainerRule;

/** What runs in a cluster is not fixed there, but where it is written. */
function pinning({ request }: Subject): string {
  return request.cluster === undefined ? "today's image with --fix --pin" : "the digest that runs";
}

/** `app:main`; not `app:main@sha256:…`, where the digest decides. */
export const tagMoving = {
  id: "tag-moving",
  meta: {
    title: "The image's tag moves",
    why: "Tags such as latest or main are pushed again and again, so two nodes can run two images under one name.",
    advice: "Write the tag of a version, or pin the digest.",
    severity: { recommended: "warning", always: "warning", offline: "error" },
    example: {
      found: "image: registry.example.com/web:main\nimagePullPolicy: Always",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
    },
  },
  check(subject, { isMoving }) {
    const { reference } = subject;
    if (reference?.tag === undefined || reference.digest !== undefined || !isMoving(reference.tag)) return undefined;
    const name = nameOf(reference);
    return {
      at: imagePlace(subject),
      message: `the tag ${reference.tag} of ${name} moves: it is pushed again and again, so nodes can have different images under it`,
      advice: `Write the tag of a version, ${name}:VERSION, or pin the digest, ${name}:${reference.tag}@sha256:DIGEST.`,
    };
  },
} as const satisfies ContainerRule;

/** An image that only its registry can identify. */
export const digestMissing = {
  id: "digest-missing",
  meta: {
    title: "The image is not pinned by a digest",
    why: "Without a digest, only the registry knows which image it is.",
    advice: "Pin the digest.",
    severity: { recommended: "off", always: "off", offline: "error" },
    example: {
      found: "image: registry.example.com/web:1.4",
      notFound: `image: registry.example.com/web@${exampleDigest}`,
      profile: "offline",
    },
  },
  check(subject) {
    const { reference } = subject;
    if (reference === undefined || reference.digest !== undefined) return undefined;
    return {
      at: imagePlace(subject),
      message: `${imageText(subject)} has no digest, so only its registry knows which image it is`,
      advice: `Pin the digest: ${imageText(subject)}@sha256:DIGEST.`,
    };
  },
} as const satisfies ContainerRule;
