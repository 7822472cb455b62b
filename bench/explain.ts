/** Ten thousand images in manifests: how long deciding takes, beside starting the program at all. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cache } from "./support/contest.ts";
import { interleaved } from "./support/measure.ts";
import { printResults } from "./support/table.ts";

const runs = 5;
const deployments = 2500;
const containers = 4;

const file = join(cache, "deployments.yaml");
await mkdir(cache, { recursive: true });
await writeFile(file, Array.from({ length: deployments }, (_, number) => deployment(number)).join("---\n"));

const program = [process.execPath, resolve("dist", "pulley.mjs")];
const results = await interleaved(
  [
    { name: "pulley explain", command: () => [...program, "explain", "-o", "json", file] },
    { name: "pulley --version", command: () => [...program, "--version"] },
  ],
  runs,
);
printResults(`Explaining ${deployments * containers} images in ${deployments} Deployments`, results);

function deployment(number: number): string {
  const list = Array.from({ length: containers }, (_, index) => container(number * containers + index)).join("");
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${number}
  namespace: team-${number % 40}
spec:
  selector: { matchLabels: { app: app-${number} } }
  template:
    metadata: { labels: { app: app-${number} } }
    spec:
      containers:
${list}`;
}

function container(number: number): string {
  const tag = ["", ":latest", `:1.${number % 30}.${number % 7}`, `@sha256:${number.toString(16).padStart(64, "0")}`][
    number % 4
  ];
  return `        - name: container-${number}
          image: registry-${number % 12}.example.com/team/app-${number}${tag}
`;
}
