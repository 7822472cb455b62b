/**
 * What service accounts do for pull secrets when a pod is created
 * (k8s plugin/pkg/admission/serviceaccount/admission.go).
 */
import type { ManifestDocument } from "./documents.ts";
import { namespaceOf } from "./requests.ts";
import { groupOf } from "./templates.ts";
import { itemsAt, textAt, textsAt } from "./value.ts";

export interface ServiceAccount {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly name: string;
  /** Names of the Secrets that its pods get if they name none, in order. */
  readonly imagePullSecrets: readonly string[];
  /** Whether its pods may use no other Secrets (`kubernetes.io/enforce-mountable-secrets`). */
  readonly enforceMountableSecrets: boolean;
}

/** What Go's `strconv.ParseBool` takes for true. */
const goTrue = /^(?:1|t|T|true|True|TRUE)$/;

/** The service account that an object is. */
export function serviceAccountOf(document: ManifestDocument, newUid: () => string): ServiceAccount | undefined {
  const { root } = document;
  const name = textAt(root, "metadata", "name");
  if (!isServiceAccount(document) || name === undefined) return undefined;
  const annotations = textsAt(root, "metadata", "annotations");
  return {
    uid: textAt(root, "metadata", "uid") ?? newUid(),
    annotations,
    namespace: namespaceOf(document),
    name,
    imagePullSecrets: itemsAt(root, "imagePullSecrets").map((item) => textAt(item, "name") ?? ""),
    enforceMountableSecrets: goTrue.test(annotations["kubernetes.io/enforce-mountable-secrets"] ?? ""),
  };
}

export function isServiceAccount({ kind, apiVersion }: ManifestDocument): boolean {
  return kind === "ServiceAccount" && groupOf(apiVersion) === "";
}

export type AdmittedSecrets = { readonly imagePullSecrets: readonly string[] } | { readonly refusal: string };

/**
 * The pull secrets of a new pod: its own, or if it names none those of its service account, never both together.
 * `refusal` where the service account limits Secrets and the pod names another one.
 */
export function admitPullSecrets(own: readonly string[], account: ServiceAccount | undefined): AdmittedSecrets {
  if (account === undefined) return { imagePullSecrets: own };
  if (own.length === 0) return { imagePullSecrets: account.imagePullSecrets };
  const { enforceMountableSecrets, imagePullSecrets: known, name } = account;
  const stranger = enforceMountableSecrets ? own.findIndex((secret) => !known.includes(secret)) : -1;
  if (stranger < 0) return { imagePullSecrets: own };
  const refusal = `imagePullSecrets[${stranger}].name="${own[stranger]}" is not allowed because service account ${name} does not reference that imagePullSecret`;
  return { refusal };
}
