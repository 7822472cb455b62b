/** Manifests as people write them, the same bytes on every machine: made once and kept. */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

const filesOfFolder = 1000;
const containersOfFile = 5;

export interface Manifests {
  /** Each has a thousand files. */
  readonly folders: readonly string[];
  readonly files: number;
  readonly containers: number;
}

/** Makes folders of manifests in the cache folder, unless they are there already. */
export async function manifests(cache: string, count: number): Promise<Manifests> {
  const root = join(cache, "manifests-v1");
  const finished = join(root, `finished-${count}`);
  const folders = Array.from({ length: count }, (_, number) => join(root, `team-${String(number).padStart(2, "0")}`));
  if ((await stat(finished).catch(() => undefined)) === undefined) {
    await rm(root, { recursive: true, force: true });
    for (const [number, folder] of folders.entries()) await fill(folder, number);
    await writeFile(finished, "");
  }
  return { folders, files: count * filesOfFolder, containers: count * filesOfFolder * containersOfFile };
}

async function fill(folder: string, number: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < filesOfFolder; index += 1) {
    const id = number * filesOfFolder + index;
    await writeFile(join(folder, `app-${id}.yaml`), manifest(id, number));
  }
}

function manifest(id: number, team: number): string {
  const list = Array.from({ length: containersOfFile }, (_, index) => container(id, index)).join("");
  const head = { name: `app-${id}`, namespace: `team-${team}` };
  switch (id % 5) {
    case 0:
      return `${top("batch/v1", "CronJob", head)}
  schedule: "${id % 60} 3 * * *" # while nobody is looking
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          restartPolicy: OnFailure
          containers:
${list.replaceAll(/^/gm, "            ").trimEnd()}
`;
    case 1:
      return `${top("apps/v1", "StatefulSet", head)}
  serviceName: app-${id}
  replicas: 3
${template(head.name, list)}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: ["ReadWriteOnce"]
        resources: { requests: { storage: 10Gi } }
`;
    default:
      return `${top("apps/v1", "Deployment", head)}
  replicas: ${1 + (id % 4)}
  revisionHistoryLimit: 3
${template(head.name, list)}
${service(head)}`;
  }
}

function top(apiVersion: string, kind: string, { name, namespace }: { name: string; namespace: string }): string {
  return `# ${kind} ${name}, kept by ${namespace}.
# Ask them before you change the number of replicas.
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/part-of: shop
  annotations:
    example.com/runbook: "https://runbooks.example.com/${name}"
spec:`;
}

function template(name: string, containers: string): string {
  return `  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
    spec:
      serviceAccountName: ${name}
      securityContext:
        runAsNonRoot: true
      containers:
${containers.replaceAll(/^/gm, "        ").trimEnd()}`;
}

function service({ name, namespace }: { name: string; namespace: string }): string {
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - port: 80
      targetPort: http
`;
}

/** One container in twenty has something about it to be found. */
function container(id: number, index: number): string {
  const number = id * containersOfFile + index;
  const version = `1.${number % 30}.${number % 7}`;
  const tag = number % 20 === 7 ? (number % 40 === 7 ? "" : ":latest") : `:${version}`;
  const digest = number % 8 === 3 ? `@sha256:${number.toString(16).padStart(64, "0")}` : "";
  const policy = tag === ":latest" || number % 3 === 0 ? "\n  imagePullPolicy: IfNotPresent" : "";
  return `- name: ${["web", "proxy", "metrics", "logs", "cache"][index]}
  image: registry-${number % 12}.example.com/team/app-${number % 997}${tag}${digest} # see the release notes${policy}
  args: ["--listen=:${8080 + index}", "--level=info"]
  env:
    - name: DATABASE_URL
      valueFrom:
        secretKeyRef: { name: database, key: url }
    - name: REGION
      value: "eu-${number % 4}"
  ports:
    - name: ${index === 0 ? "http" : `port-${index}`}
      containerPort: ${8080 + index}
  readinessProbe:
    httpGet:
      path: /ready
      port: ${8080 + index}
    periodSeconds: 10
  resources:
    requests:
      cpu: 100m
      memory: 128Mi
    limits:
      memory: 256Mi
`;
}
