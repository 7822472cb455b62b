import { expect, it } from "vitest";
import { parseImagePattern } from "./image-pattern.ts";
import { imagePatternWarning } from "./warnings.ts";

function warning(text: string): string | undefined {
  const parsed = parseImagePattern(text);
  return "value" in parsed ? imagePatternWarning(parsed.value) : parsed.problem;
}

it.each([
  ["docker.io/nginx", "no image of docker.io has a name of one part; did you mean docker.io/library/nginx?"],
  ["!docker.io/nginx", "no image of docker.io has a name of one part; did you mean !docker.io/library/nginx?"],
  ["docker.io/*", "no image of docker.io has a name of one part; did you mean docker.io/**?"],
  ["registry.docker.io", "images of Docker Hub are matched as docker.io; did you mean docker.io?"],
  ["index.docker.io/nginx", "no image of docker.io has a name of one part; did you mean docker.io/library/nginx?"],
  ["registry.hub.docker.com/acme/*", "images of Docker Hub are matched as docker.io; did you mean docker.io/acme/*?"],
  ["Nginx", "Nginx is taken for a registry's host; did you mean docker.io/library/nginx?"],
  ["Acme/app", "Acme is taken for a registry's host; did you mean docker.io/acme/app?"],
  ["Registry.Example.com/a", "hosts are matched in lower case; did you mean registry.example.com/a?"],
  ["gcr.io*", "it matches the registry gcr.io.example.com, too; did you mean gcr.io?"],
  ["gcr.io*/team/**", "it matches the registry gcr.io.example.com, too; did you mean gcr.io/team/**?"],
  ["registry.*", "it matches the registry registry..example.com, too; did you mean registry?"],
  ["*example.com", "it matches the registry evilexample.com, too; did you mean *.example.com?"],
  ["quay.io/-a", "no image has -a in its name"],
])("%s: %s", (text, expected) => expect(warning(text)).toBe(expected));

it.each([
  "*",
  "**",
  "**/nginx",
  "*/*/nginx",
  "*.example.com",
  "docker.io",
  "registry-1.docker.io",
  "index.docker.io/**",
  "docker.io/**",
  "docker.io/library/*",
  "docker.io/*/nginx",
  "eu-*.gcr.io/team/**",
  "registry.example.com:443/a",
  "localhost",
  "localhost:*",
  "localhost:5000/a_b/c__d",
  "[::1]:5000/a",
  "gcr.io",
])("%s is as it seems", (text) => expect(warning(text)).toBeUndefined());
