/** Which images a pattern is about: each line is a rule that denies them. */
import { type Case, now, pinned, policyOf, requestFor, unknown } from "./case.ts";

const hash = pinned.slice(1);

/** Patterns, images that they are about, and images that they are not about. */
const table: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
  [
    ["docker.io/library/nginx"],
    ["nginx", "nginx:1.27", "docker.io/nginx", `nginx@${hash}`],
    ["nginx-debug", "acme/nginx"],
  ],
  [["docker.io/library/*"], ["nginx", "index.docker.io/library/redis"], ["acme/nginx", "quay.io/library/nginx"]],
  [["docker.io/library/ng*x"], ["nginx", "ngx"], ["nginx2", "angix"]],
  [["docker.io/*/nginx"], ["nginx", "acme/nginx"], ["docker.io/a/b/nginx"]],
  [["docker.io/**/nginx"], ["nginx", "docker.io/a/b/nginx"], ["docker.io/a/nginx/b"]],
  [
    ["docker.io"],
    ["nginx", "acme/app", "docker.io/a/b/c"],
    ["docker.io.evil.com/app", "mydocker.io/app", "quay.io/app"],
  ],
  [
    ["docker.io/library/*"],
    ["registry-1.docker.io/library/nginx", "index.docker.io/library/nginx", "registry-1.docker.io:443/library/nginx"],
    ["registry-2.docker.io/library/nginx"],
  ],
  [["registry-1.docker.io"], ["nginx", "index.docker.io/acme/app", "registry-1.docker.io/acme/app"], ["quay.io/app"]],
  [["index.docker.io/acme/*"], ["acme/app", "docker.io/acme/app"], ["nginx"]],
  [
    ["registry.acme.io"],
    ["registry.acme.io/app", "registry.acme.io/a/b:1", "REGISTRY.acme.IO/app", "registry.acme.io:443/app"],
    ["registry.acme.io.evil.com/app", "registry.acme.io:5000/app", "xregistry.acme.io/app", "acme.io/app"],
  ],
  [
    ["registry.acme.io/**"],
    ["registry.acme.io/app", "registry.acme.io/a/b/c"],
    ["registry.acme.io.evil.com/app", "registry.acme.iox/app"],
  ],
  [
    ["registry.acme.io/team/**"],
    ["registry.acme.io/team/app", "registry.acme.io/team/a/b", "registry.acme.io/team"],
    ["registry.acme.io/teamwork/app", "registry.acme.io/other/team/app"],
  ],
  [["registry.acme.io/team/*"], ["registry.acme.io/team/app"], ["registry.acme.io/team/a/b", "registry.acme.io/team"]],
  [["registry.acme.io:5000"], ["registry.acme.io:5000/app"], ["registry.acme.io/app", "registry.acme.io:50001/app"]],
  [["registry.acme.io:443"], ["registry.acme.io/app", "registry.acme.io:443/app"], ["registry.acme.io:444/app"]],
  [["localhost"], ["localhost/app"], ["localhost:5000/app", "localhost.evil.com/app"]],
  [["localhost:*"], ["localhost:5000/app"], ["localhost/app"]],
  [["[::1]:5000"], ["[::1]:5000/app"], ["[::1]:5001/app"]],
  [["*.acme.io"], ["eu.acme.io/app", "a.b.acme.io/x/y"], ["acme.io/app", "eu.acme.io.evil.com/app"]],
  [["*"], ["nginx", "quay.io/a/b/c", "localhost:5000/app"], []],
  [["**"], ["nginx", "quay.io/a/b/c"], []],
  [["**/app"], ["acme/app", "quay.io/app", "quay.io/a/b/app"], ["quay.io/app/a", "quay.io/myapp"]],
  [["quay.io", "docker.io/library/*"], ["quay.io/a/b", "redis"], ["acme/redis"]],
  [["quay.io", "!quay.io/acme/*"], ["quay.io/other/app"], ["quay.io/acme/app", "nginx"]],
  [["!quay.io"], ["nginx", "quay.io.evil.com/app"], ["quay.io/app"]],
  [["!quay.io", "!docker.io"], ["ghcr.io/a/b"], ["quay.io/a/b", "nginx"]],
];

function caseOf(images: readonly string[], image: string, matches: boolean): Case {
  return {
    name: `${JSON.stringify(images)} ${matches ? "is" : "is not"} about ${image}`,
    policy: policyOf([{ name: "deny", match: { images }, admit: "Deny" }]),
    request: requestFor(image, { pullPolicy: "IfNotPresent" }),
    facts: unknown,
    now,
    expected: matches
      ? { action: "Refuse", reason: "ImageDenied", rules: { admit: "p/deny" } }
      : { action: "Pull", rules: { admit: null } },
  };
}

export const imageCases: readonly Case[] = table.flatMap(([images, about, notAbout]) => [
  ...about.map((image) => caseOf(images, image, true)),
  ...notAbout.map((image) => caseOf(images, image, false)),
]);
