/**
 * Patterns for images are matched with the normalised name, `docker.io/library/nginx`, from its host to its end:
 *
 *     registry.acme.io          everything in that registry, and nothing in registry.acme.io.example.com
 *     registry.acme.io/team/*   one segment below team
 *     registry.acme.io/team/**  everything below team, and team itself
 *     *.acme.io                 everything in the registries whose hosts end so
 */
import type { Repository } from "../../image/index.ts";
import type { Parsed } from "./parsed.ts";
import { patternOf } from "./pattern.ts";
import type { Pattern } from "./types.ts";

export const imagePattern = "^!?[A-Za-z0-9_.*:\\[\\]-]+(/[a-z0-9_.*-]+)*$";

const shape = new RegExp(imagePattern);
const host = /^(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_.*-]+)(?::[0-9*]+)?$/;

export function parseImagePattern(text: string): Parsed<Pattern> {
  const wanted = text.startsWith("!") ? text.slice(1) : text;
  const problem = problemOf(text, wanted);
  if (problem !== undefined) return { problem };
  const segments = segmentsOf(wanted);
  return { value: patternOf(text, segments.length === 1 && segments[0] !== "**" ? [...segments, "**"] : segments) };
}

/** The segments of an image's name as patterns see them. */
export function imageSegments({ name }: Repository): readonly string[] {
  return segmentsOf(name);
}

/**
 * Neither case nor HTTPS' own port tells hosts apart, and Docker Hub has several: a rule must not be evaded by writing a
 * host otherwise.
 */
function segmentsOf(name: string): readonly string[] {
  const [first = "", ...path] = name.toLowerCase().split("/");
  const plain = first.replace(/:443$/, "");
  return [dockerHub.includes(plain) ? "docker.io" : plain, ...path];
}

const dockerHub = ["index.docker.io", "registry-1.docker.io"];

function problemOf(text: string, wanted: string): string | undefined {
  const [first = "", ...path] = wanted.split("/");
  if (/@/.test(wanted)) return "a pattern has no digest; use pinned";
  const last = path.at(-1) ?? "";
  if (last.includes(":")) return `a pattern has no tag; put "${last.slice(last.indexOf(":") + 1)}" into tags`;
  if (/[{}()?+|\\]/.test(wanted)) return "patterns know '*' and '**' only; write several entries";
  if (/[A-Z]/.test(path.join("/"))) return "the path of an image's name is in lower case";
  if (!shape.test(text)) return "a pattern is written like docker.io/library/nginx or registry.acme.io/**";
  if (/\*\*/.test(wanted.replaceAll(/(?<=^|\/)\*\*(?=\/|$)/g, ""))) {
    return "'**' stands for whole segments; write '*' within one";
  }
  if (looksLikeHost(first)) return undefined;
  const whole = path.length === 0 ? `docker.io/library/${first.replace(/:.*$/, "")}` : `docker.io/${wanted}`;
  return `images are matched by their whole name; did you mean ${whole}?`;
}

/** By the grammar of references: what has neither dot nor port is a host only if it is `localhost`. */
function looksLikeHost(first: string): boolean {
  if (!host.test(first)) return false;
  return /[.*]|:[0-9*]+$|^localhost$|^\[/.test(first) || first.toLowerCase() !== first;
}
