/** Security contexts of pods and containers. */
import { invalid, required, shown } from "../field-errors.ts";
import { textAt } from "../value.ts";
import { localPathProblem } from "./local-path.ts";
import {
  choice,
  flag,
  integer,
  integers,
  objectAt,
  objectsAt,
  type PlacedObject,
  pathOf,
  problem,
  requiredText,
  text,
  texts,
  warnOf,
} from "./place.ts";
import type { ContainerSecurity, PodSecurity, SeccompProfile } from "./types.ts";

/** What has its effect on other systems, or needs what this node does not do. */
const notHere = {
  windowsOptions: "there are no Windows containers here",
  seLinuxOptions: "labels of SELinux are left to the runtime",
  appArmorProfile: "the runtime's own profile holds",
};

export function readPodSecurity(spec: PlacedObject): PodSecurity {
  const place = objectAt(spec, "securityContext");
  if (place !== undefined) {
    warnOf(place, { ...notHere, supplementalGroupsPolicy: "groups of the image are merged in" });
  }
  const entries = (place ? objectsAt(place, "sysctls") : []).map(
    (item) => [requiredText(item, "name"), text(item, "value") ?? ""] as const,
  );
  return {
    runAsUser: integer(place, "runAsUser"),
    runAsGroup: integer(place, "runAsGroup"),
    runAsNonRoot: flag(place, "runAsNonRoot") ?? false,
    supplementalGroups: integers(place, "supplementalGroups"),
    fsGroup: integer(place, "fsGroup"),
    seccomp: place && seccomp(place),
    sysctls: Object.fromEntries(entries),
  };
}

export function readContainerSecurity(container: PlacedObject): ContainerSecurity {
  const place = objectAt(container, "securityContext");
  const capabilities = place && objectAt(place, "capabilities");
  if (place !== undefined) warnOf(place, notHere);
  const security: ContainerSecurity = {
    runAsUser: integer(place, "runAsUser"),
    runAsGroup: integer(place, "runAsGroup"),
    runAsNonRoot: flag(place, "runAsNonRoot"),
    privileged: flag(place, "privileged") ?? false,
    readOnlyRootFilesystem: flag(place, "readOnlyRootFilesystem") ?? false,
    allowPrivilegeEscalation: flag(place, "allowPrivilegeEscalation"),
    addCapabilities: capabilities ? texts(capabilities, "add") : [],
    dropCapabilities: capabilities ? texts(capabilities, "drop") : [],
    seccomp: place && seccomp(place),
    unmaskedProc: choice(place, "procMount", ["Default", "Unmasked"]) === "Unmasked",
  };
  if (place !== undefined) checkEscalation(place, security);
  return security;
}

/** As the API server refuses it (k8s `ValidateSecurityContext`). */
function checkEscalation(place: PlacedObject, security: ContainerSecurity): void {
  if (security.allowPrivilegeEscalation !== false) return;
  const key = "allowPrivilegeEscalation";
  const refuse = (what: string) =>
    problem(place, key, invalid(pathOf(place, key), "false", `cannot set \`${key}\` to false and ${what}`));
  if (security.privileged) refuse("`privileged` to true");
  if (security.addCapabilities.includes("CAP_SYS_ADMIN")) refuse("`capabilities.Add` CAP_SYS_ADMIN");
}

function seccomp(context: PlacedObject): SeccompProfile | undefined {
  const place = objectAt(context, "seccompProfile");
  if (place === undefined) return undefined;
  const type = choice(place, "type", ["RuntimeDefault", "Unconfined", "Localhost"] as const);
  if (type === undefined) {
    if (textAt(place.value, "type") === undefined) problem(place, "type", required(pathOf(place, "type")));
    return undefined;
  }
  const localhostProfile = type === "Localhost" ? requiredText(place, "localhostProfile") : undefined;
  const why = localhostProfile === undefined ? undefined : localPathProblem(localhostProfile);
  if (localhostProfile !== undefined && why !== undefined) {
    problem(place, "localhostProfile", invalid(pathOf(place, "localhostProfile"), shown(localhostProfile), why));
  }
  return { type, localhostProfile };
}
