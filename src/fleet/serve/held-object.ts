/**
 * What is held of an object of the API between reports: a text with the fields that the inventory reads, and no more.
 * Texts have no parts in common, so nothing gathers in months: what many objects say the same is one copy only while a
 * report is made.
 */
import { isRecord, type JsonRecord, kept, recordAt, recordsAt, textsAt, valueAt } from "../../support/json-record.ts";
import { isSpent, templates } from "../inventory.ts";
import { containerLists, isOfOnePod } from "../pod-objects.ts";
import { longestText } from "../pools.ts";

export function heldText(object: JsonRecord, kind: string): string {
  const held = kind === "Pod" ? heldPod(object) : kind === "Node" ? heldNode(object) : heldController(object, kind);
  return JSON.stringify(held, (_key, value: unknown) =>
    typeof value === "string" && value.length > longestText ? value.slice(0, longestText) : value,
  );
}

/** `undefined` if it is no such text. */
export function objectIn(held: string): JsonRecord | undefined {
  const object: unknown = JSON.parse(held);
  return isRecord(object) ? object : undefined;
}

function heldPod(pod: JsonRecord): JsonRecord {
  const status = recordAt(pod, "status");
  const ready = recordsAt(status, "conditions").filter(({ type }) => type === "Ready");
  const statuses = containerLists.map(([, list]) => [list, listOf(recordsAt(status, list).map(heldStatus))] as const);
  return {
    metadata: { ...heldName(pod), ...heldLabels(pod), ...kept(recordAt(pod, "metadata"), ["creationTimestamp"]) },
    spec: { ...heldSpec(valueAt(pod, "spec")), ...kept(recordAt(pod, "spec"), ["nodeName"]) },
    status: {
      ...kept(status, ["phase", "startTime"]),
      conditions: ready.map((each) => kept(each, ["type", "status", "lastTransitionTime"])),
      ...Object.fromEntries(statuses),
    },
  };
}

/** Of the ID of a container only that there is one. */
function heldStatus(status: JsonRecord): JsonRecord {
  const waiting = recordAt(status, "state", "waiting");
  const { containerID } = status;
  return {
    ...kept(status, ["name", "imageID"]),
    containerID: typeof containerID === "string" && containerID !== "" ? "set" : undefined,
    state: "reason" in waiting ? { waiting: kept(waiting, ["reason", "message"]) } : undefined,
  };
}

function heldNode(node: JsonRecord): JsonRecord {
  const status = recordAt(node, "status");
  return {
    metadata: kept(recordAt(node, "metadata"), ["name"]),
    status: {
      nodeInfo: kept(recordAt(status, "nodeInfo"), ["architecture"]),
      images: recordsAt(status, "images").map((image) => kept(image, ["names", "sizeBytes"])),
    },
  };
}

function heldController(controller: JsonRecord, kind: string): JsonRecord {
  const path = templates.get(kind) ?? [];
  const template = valueAt(controller, ...path);
  const held = { metadata: heldLabels(template), spec: heldSpec(valueAt(template, "spec")) };
  const metadata = heldName(controller);
  const spec = kept(recordAt(controller, "spec"), ["replicas"]);
  if (isSpent(kind, recordsAt(metadata, "ownerReferences").length > 0)) return { metadata, spec };
  const inside = path.slice(1).reduceRight<JsonRecord>((inner, key) => ({ [key]: inner }), held);
  return { metadata, spec: { ...spec, ...inside } };
}

function heldSpec(spec: unknown): JsonRecord {
  const lists = containerLists.map(([list]) => {
    const containers = recordsAt(spec, list).map((each) => kept(each, ["name", "image", "imagePullPolicy"]));
    return [list, listOf(containers)] as const;
  });
  const volumes = recordsAt(spec, "volumes").filter(({ image }) => isRecord(image));
  return {
    ...kept(recordAt({ spec }, "spec"), ["serviceAccountName"]),
    imagePullSecrets: listOf(recordsAt(spec, "imagePullSecrets").map((each) => kept(each, ["name"]))),
    ...Object.fromEntries(lists),
    volumes: listOf(volumes.map((volume) => kept(volume, ["name", "image"]))),
  };
}

function heldName(object: JsonRecord): JsonRecord {
  const owners = recordsAt(object, "metadata", "ownerReferences");
  return {
    ...kept(recordAt(object, "metadata"), ["name", "namespace"]),
    ownerReferences: listOf(owners.map((owner) => kept(owner, ["apiVersion", "kind", "name", "controller"]))),
  };
}

function heldLabels(object: unknown): JsonRecord {
  const fields = (["labels", "annotations"] as const).map((field) => {
    const texts = textsAt(object, "metadata", field).filter(([key]) => !isOfOnePod(key));
    return [field, texts.length === 0 ? undefined : Object.fromEntries(texts)] as const;
  });
  return Object.fromEntries(fields);
}

/** A list that is empty says what none says. */
function listOf(items: readonly JsonRecord[]): readonly JsonRecord[] | undefined {
  return items.length === 0 ? undefined : items;
}
