/**
 * What is held of an object of the API between reports: the fields that the inventory reads, and no more. What many objects
 * say the same is one text, as long as one of them is there.
 */
import { isRecord, type JsonRecord, kept, recordAt, recordsAt, textsAt, valueAt } from "../../support/json-record.ts";
import { isSpent, templates } from "../inventory.ts";
import { containerLists, isOfOnePod } from "../pod-objects.ts";
import { longestText, type SharedText } from "../pools.ts";

export interface HeldObject {
  readonly name: unknown;
  readonly nodeName: unknown;
  /** Of a node, each in JSON. */
  readonly images: readonly SharedText[];
  /** The rest, in JSON: the pods of one workload have it in common. */
  readonly rest: SharedText;
}

export function heldObject(object: JsonRecord, kind: string, shared: (text: string) => SharedText): HeldObject {
  const text = (value: unknown) => shared(JSON.stringify(value, shortened));
  return {
    name: shortened("", valueAt(object, "metadata", "name")),
    nodeName: kind === "Pod" ? shortened("", valueAt(object, "spec", "nodeName")) : undefined,
    images: kind === "Node" ? recordsAt(object, "status", "images").map((image) => text(heldImage(image))) : [],
    rest: text(kind === "Pod" ? heldPod(object) : kind === "Node" ? heldNode(object) : heldController(object, kind)),
  };
}

/** As the API has it, without what is not held. */
export function objectIn({ name, nodeName, images, rest }: HeldObject): JsonRecord {
  const object = recordIn(rest);
  return {
    metadata: { ...recordAt(object, "metadata"), name },
    spec: { ...recordAt(object, "spec"), nodeName },
    status: { ...recordAt(object, "status"), images: images.map(recordIn) },
  };
}

function recordIn({ text }: SharedText): JsonRecord {
  const object: unknown = JSON.parse(text);
  return isRecord(object) ? object : {};
}

function shortened(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.length > longestText ? value.slice(0, longestText) : value;
}

function heldPod(pod: JsonRecord): JsonRecord {
  const status = recordAt(pod, "status");
  const ready = recordsAt(status, "conditions").filter(({ type }) => type === "Ready");
  // Times are of one pod alone: they are there for those that are not ready.
  const timed = ready[0]?.["status"] !== "True";
  const fields = timed ? ["type", "status", "lastTransitionTime"] : ["type", "status"];
  const statuses = containerLists.map(([, list]) => [list, listOf(recordsAt(status, list).map(heldStatus))] as const);
  return {
    metadata: {
      ...heldName(pod),
      ...heldLabels(pod),
      ...kept(recordAt(pod, "metadata"), timed ? ["creationTimestamp"] : []),
    },
    spec: heldSpec(valueAt(pod, "spec")),
    status: {
      ...kept(status, timed ? ["phase", "startTime"] : ["phase"]),
      conditions: ready.map((each) => kept(each, fields)),
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
  return { status: { nodeInfo: kept(recordAt(node, "status", "nodeInfo"), ["architecture"]) } };
}

function heldImage(image: JsonRecord): JsonRecord {
  return kept(image, ["names", "sizeBytes"]);
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
    ...kept(recordAt(object, "metadata"), ["namespace"]),
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
