import { createHash } from "node:crypto";
import { z } from "zod";
import type { Login } from "../../support/login.ts";

/**
 * The files in which a kubelet remembers what it pulled and with whose login
 * (KEP-2535, k8s staging/src/k8s.io/kubelet/config/v1beta1 `ImagePullIntent`, `ImagePulledRecord`).
 */
const apiVersion = "kubelet.config.k8s.io/v1beta1";
const readableVersions = [apiVersion, "kubelet.config.k8s.io/v1alpha1"] as const;

const secretSchema = z.strictObject({
  uid: z.string(),
  namespace: z.string(),
  name: z.string(),
  credentialHash: z.string().default(""),
});
const serviceAccountSchema = z.strictObject({ uid: z.string(), namespace: z.string(), name: z.string() });
const credentialsSchema = z.strictObject({
  kubernetesSecrets: z.array(secretSchema).default([]),
  kubernetesServiceAccounts: z.array(serviceAccountSchema).default([]),
  nodePodsAccessible: z.boolean().default(false),
});
const intentSchema = z.strictObject({
  kind: z.literal("ImagePullIntent"),
  apiVersion: z.enum(readableVersions),
  image: z.string(),
});
const recordSchema = z.strictObject({
  kind: z.literal("ImagePulledRecord"),
  apiVersion: z.enum(readableVersions),
  lastUpdatedTime: z.iso.datetime({ offset: true }),
  imageRef: z.string(),
  credentialMapping: z.record(z.string(), credentialsSchema).default({}),
});

export interface SecretCoordinates {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface RecordedSecret extends SecretCoordinates {
  readonly credentialHash: string;
}

/** Who may use an image under one name. */
export interface RecordedCredentials {
  readonly kubernetesSecrets: readonly RecordedSecret[];
  readonly kubernetesServiceAccounts: readonly SecretCoordinates[];
  readonly nodePodsAccessible: boolean;
}

/** That an image is being pulled. */
export interface PullIntent {
  readonly image: string;
}

/** That an image was pulled, and with whose logins under which names. */
export interface PulledRecord {
  readonly imageRef: string;
  /** In milliseconds since the epoch; whole seconds in the file. */
  readonly lastUpdated: number;
  /** By name without tag and digest. */
  readonly credentials: ReadonlyMap<string, RecordedCredentials>;
}

export function encodeIntent({ image }: PullIntent): string {
  return `${goJson({ kind: "ImagePullIntent", apiVersion, image })}\n`;
}

/** @throws if the text is not exactly an intent */
export function decodeIntent(text: string): PullIntent {
  return { image: intentSchema.parse(JSON.parse(text)).image };
}

export function encodeRecord(record: PulledRecord): string {
  const names = [...record.credentials].sort(([one], [other]) => compare(one, other));
  const encoded = {
    kind: "ImagePulledRecord",
    apiVersion,
    lastUpdatedTime: `${new Date(record.lastUpdated).toISOString().slice(0, 19)}Z`,
    imageRef: record.imageRef,
    ...(names.length > 0 && {
      credentialMapping: Object.fromEntries(names.map(([name, of]) => [name, encodeCredentials(of)])),
    }),
  };
  return `${goJson(encoded)}\n`;
}

/** @throws if the text is not exactly a record */
export function decodeRecord(text: string): PulledRecord {
  const { imageRef, lastUpdatedTime, credentialMapping } = recordSchema.parse(JSON.parse(text));
  return {
    imageRef,
    lastUpdated: Date.parse(lastUpdatedTime),
    credentials: new Map(Object.entries(credentialMapping)),
  };
}

/** The hash by which a record knows a login again (k8s pkg/credentialprovider `hashAuthConfig`). */
export function credentialHash(login: Login): string {
  const secret = login.reveal();
  const email = login.origin?.kind === "secret" ? login.origin.email : undefined;
  const filled = (text: string | undefined) => text || undefined;
  const authConfig = {
    username: secret.kind === "password" ? filled(secret.username) : undefined,
    password: secret.kind === "password" ? filled(secret.password) : undefined,
    email: filled(email),
    identitytoken: secret.kind === "identityToken" ? secret.token : undefined,
    registrytoken: secret.kind === "registryToken" ? secret.token : undefined,
  };
  return sha256(goJson(authConfig));
}

/** The name of the file for an image or an image reference. */
export function fileName(key: string): string {
  return `sha256-${sha256(key)}`;
}

export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function encodeCredentials(of: RecordedCredentials): object {
  return {
    ...(of.kubernetesSecrets.length > 0 && {
      kubernetesSecrets: of.kubernetesSecrets.map(({ uid, namespace, name, credentialHash: hash }) => ({
        uid,
        namespace,
        name,
        credentialHash: hash,
      })),
    }),
    ...(of.kubernetesServiceAccounts.length > 0 && {
      kubernetesServiceAccounts: of.kubernetesServiceAccounts.map(({ uid, namespace, name }) => ({
        uid,
        namespace,
        name,
      })),
    }),
    ...(of.nodePodsAccessible && { nodePodsAccessible: true }),
  };
}

/** JSON as Go's `encoding/json` writes it: what could be taken for HTML is escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
