/**
 * Custom resources that name an image in a field of their own, and leave the pod to their operator. What has containers,
 * as Argo Rollouts, KEDA's ScaledJobs and Knative Services do, is found by its shape and needs no line here.
 */
import { itemsAt, type MappingValue, textAt, type Value, valueAt } from "./value.ts";

/** Kinds of a group, and the paths of their images: `spec.kafka.image`; `[*]` stands for every item of a list. */
export interface ImageFields {
  /** A group of API versions; `*.` at its beginning stands for all groups that end in the rest. */
  readonly apiGroup: string;
  readonly kinds: readonly string[];
  readonly images: readonly string[];
}

/** Where operators' own references say that a whole image goes; not where it is put together from several fields. */
const known: readonly ImageFields[] = [
  fields("openfaas.com", ["Function"], "spec.image"),
  fields("monitoring.coreos.com", ["Prometheus", "PrometheusAgent"], "spec.image", "spec.thanos.image"),
  fields("monitoring.coreos.com", ["Alertmanager", "ThanosRuler"], "spec.image"),
  fields(
    "*.k8s.elastic.co",
    ["Elasticsearch", "Kibana", "ApmServer", "Beat", "Agent", "EnterpriseSearch", "Logstash", "ElasticMapsServer"],
    "spec.image",
  ),
  fields("postgresql.cnpg.io", ["Cluster"], "spec.imageName", "spec.postgresql.extensions[*].image.reference"),
  fields("postgresql.cnpg.io", ["Pooler"], "spec.pgbouncer.image"),
  fields(
    "postgresql.cnpg.io",
    ["ImageCatalog", "ClusterImageCatalog"],
    "spec.images[*].image",
    "spec.images[*].extensions[*].image.reference",
    "spec.componentImages[*].image",
  ),
  fields("acid.zalan.do", ["postgresql"], "spec.dockerImage"),
  fields("postgres-operator.crunchydata.com", ["PostgresCluster"], "spec.image"),
  fields(
    "kafka.strimzi.io",
    ["Kafka"],
    "spec.kafka.image",
    "spec.zookeeper.image",
    "spec.entityOperator.topicOperator.image",
    "spec.entityOperator.userOperator.image",
    "spec.entityOperator.tlsSidecar.image",
    "spec.cruiseControl.image",
    "spec.kafkaExporter.image",
  ),
  fields("kafka.strimzi.io", ["KafkaConnect"], "spec.build.output.image"),
  fields("kafka.strimzi.io", ["KafkaConnect", "KafkaMirrorMaker", "KafkaMirrorMaker2", "KafkaBridge"], "spec.image"),
  fields("minio.min.io", ["Tenant"], "spec.image", "spec.kes.image"),
  fields("rabbitmq.com", ["RabbitmqCluster"], "spec.image"),
  fields("databases.spotahome.com", ["RedisFailover"], "spec.redis.image", "spec.sentinel.image"),
  fields("k8s.mariadb.com", ["MariaDB"], "spec.image"),
  fields("k8s.keycloak.org", ["Keycloak"], "spec.image"),
  fields("caching.internal.knative.dev", ["Image"], "spec.image"),
  fields("tekton.dev", ["StepAction"], "spec.image"),
  fields("sparkoperator.k8s.io", ["SparkApplication"], ...sparkImages("spec")),
  fields("sparkoperator.k8s.io", ["ScheduledSparkApplication"], ...sparkImages("spec.template")),
  fields("flink.apache.org", ["FlinkDeployment"], "spec.image"),
  fields("opentelemetry.io", ["OpenTelemetryCollector"], "spec.image"),
  fields(
    "opentelemetry.io",
    ["Instrumentation"],
    ...["java", "nodejs", "python", "dotnet", "go", "apacheHttpd", "nginx"].map((each) => `spec.${each}.image`),
  ),
  fields(
    "jaegertracing.io",
    ["Jaeger"],
    ...["allInOne", "collector", "query", "agent", "ingester"].map((each) => `spec.${each}.image`),
  ),
];

/** An image in a field: the mapping that has it, and what its key is called. */
export interface FoundField {
  readonly holder: MappingValue;
  /** Of the holder, in the object. */
  readonly path: string;
  readonly key: string;
  /** What to call it: the holder's key; `undefined` for the specification itself. */
  readonly name: string | undefined;
}

/** The images that an object has in fields of its own. @param more fields beside those that are known */
export function imageFieldsOf(
  { group, kind, root }: { readonly group: string; readonly kind: string; readonly root: MappingValue },
  more: readonly ImageFields[] = [],
): readonly FoundField[] {
  const paths = [...known, ...more]
    .filter(({ apiGroup, kinds }) => isOf(group, apiGroup) && kinds.includes(kind))
    .flatMap(({ images }) => images);
  return [...new Set(paths)].flatMap((path) => found(root, path));
}

function fields(apiGroup: string, kinds: readonly string[], ...images: readonly string[]): ImageFields {
  return { apiGroup, kinds, images };
}

function sparkImages(path: string): readonly string[] {
  return [`${path}.image`, `${path}.driver.image`, `${path}.executor.image`];
}

function isOf(group: string, pattern: string): boolean {
  return pattern.startsWith("*.") ? group.endsWith(pattern.slice(1)) : group === pattern;
}

interface PathStep {
  readonly value: Value;
  readonly path: string;
  readonly name: string | undefined;
}

function found(root: MappingValue, path: string): FoundField[] {
  const steps = path.split(".");
  const key = steps.pop() ?? "";
  let reached: readonly PathStep[] = [{ value: root, path: "", name: undefined }];
  for (const step of steps) reached = reached.flatMap((from) => below(from, step));
  return reached.flatMap(({ value, path: holderPath, name }) =>
    value.kind === "mapping" && (textAt(value, key) ?? "") !== ""
      ? [{ holder: value, path: holderPath, key, name }]
      : [],
  );
}

function below({ value, path, name }: PathStep, step: string): PathStep[] {
  const key = step.replace(/\[\*\]$/, "");
  const whole = path === "" ? key : `${path}.${key}`;
  if (key !== step) {
    return itemsAt(value, key).map((item, index) => ({ value: item, path: `${whole}[${index}]`, name: key }));
  }
  const next = valueAt(value, key);
  return next === undefined ? [] : [{ value: next, path: whole, name: key === "spec" ? name : key }];
}
