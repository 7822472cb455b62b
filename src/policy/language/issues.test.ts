import { describe, expect, it } from "vitest";
import { readPolicy } from "./read.ts";

/** The place at which a problem is expected is marked in the text. */
const mark = "▮";

function placeOf(marked: string): string {
  const before = marked.slice(0, marked.indexOf(mark)).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

function read(marked: string, file = "policy.yaml") {
  const { policy, problems, warnings } = readPolicy([{ file, text: marked.replaceAll(mark, "") }]);
  const told = (found: typeof problems) =>
    found.map(({ source, message }) => `${source.line}:${source.column} ${message}`);
  return { policy, problems: told(problems), warnings: told(warnings) };
}

const head = "apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\nspec:\n";

function rule(text: string): string {
  return `${head}  rules:\n    - name: r\n${text.replaceAll(/^/gm, "      ")}\n`;
}

function resource(text: string): string {
  return `${head}  rules: [{ name: sane, require: { tag: true } }]\n  customResources:\n    - ${text}\n`;
}

function exempting(text: string): string {
  return `${head}  rules: [{ name: sane, require: { tag: true } }]\n  exemptions:\n    - ${text}\n`;
}

const exemption = "match: { pinned: true }, owner: o, reason: r";

describe("a mistake in a policy is told with its place and what was meant", () => {
  it.each(
    [
      // keys and values
      [rule("▮pulll: { policy: Always }"), "spec.rules[0].pulll: Unknown field; did you mean pull?"],
      [rule('▮"Admit": Deny'), "spec.rules[0].Admit: Unknown field; did you mean admit?"],
      [
        rule("▮zzzzzz: 1"),
        "spec.rules[0].zzzzzz: Unknown field; known here: name, mode, match, admit, message, pull, when, from, require",
      ],
      [rule("pull:\n  ▮polcy: Always"), "spec.rules[0].pull.polcy: Unknown field; did you mean policy?"],
      [
        rule("pull: {\n  # why\n  ▮check-every: # when\n    10m }"),
        "spec.rules[0].pull.check-every: Unknown field; did you mean checkEvery?",
      ],
      [
        rule("match: { images: [docker.io], ▮tag: [a] }\nadmit: Deny"),
        "spec.rules[0].match.tag: Unknown field; did you mean tags?",
      ],
      [
        rule("admit: ▮allow"),
        'spec.rules[0].admit: Unsupported value: "allow": supported values: "Allow", "Deny"; did you mean Allow?',
      ],
      [rule("admit: ▮true"), 'spec.rules[0].admit: Unsupported value: "true": supported values: "Allow", "Deny"'],
      [
        rule("admit: [▮Deny]").replace("[▮", "▮["),
        "spec.rules[0].admit: Invalid value: a list, but it must be a string",
      ],
      [
        rule("pull: { policy: ▮ifnotpresent }"),
        'spec.rules[0].pull.policy: Unsupported value: "ifnotpresent": supported values: "Always", "IfNotPresent", "Never"; did you mean IfNotPresent?',
      ],
      [
        rule("match: { pinned: ▮'yes' }\nadmit: Deny"),
        'spec.rules[0].match.pinned: Invalid value: "yes": must be true or false, not a string',
      ],
      [
        rule("match: { tags: [▮1.10] }\nadmit: Deny"),
        "spec.rules[0].match.tags[0]: Invalid value: 1.1: must be a string, not a number: put it in quotes",
      ],
      [
        rule("match: ▮[docker.io]\nadmit: Deny"),
        "spec.rules[0].match: Invalid value: a list, but it must be an object",
      ],
      [rule("match:▮\nadmit: Deny"), "spec.rules[0].match: has no value; leave it out, or write one"],
      [
        rule("match: { tags: ▮[] }\nadmit: Deny"),
        "spec.rules[0].match.tags: an empty list lists nothing; leave it out, or write an entry",
      ],
      [rule("match: ▮{}\nadmit: Deny"), "spec.rules[0].match: says nothing; leave it out, or give it one of its keys"],
      [rule("admit: Deny\nmessage: ▮''"), "spec.rules[0].message: is empty"],
      [
        rule('admit: Deny\nmessage: ▮"a\\nb"'),
        'spec.rules[0].message: Invalid value: "a\\nb": this is for people: write it in one line',
      ],
      [
        `${head}  rules:\n    - ▮name: r\n`,
        "spec.rules[0]: speaks on nothing; give it one of admit, pull, when, from, require",
      ],
      [`${head}  rules: ▮[]\n`, "spec.rules: an empty list lists nothing; leave it out, or write an entry"],
      [
        `${head}  ▮selector: { pinned: true }\n`
          .replace("▮selector: { pinned", "selector: { ▮pinned")
          .concat("  rules: [{ name: r, admit: Deny }]\n"),
        "spec.selector.pinned: Unknown field; known here: namespaces, labels, clusters",
      ],
      [`${head}  rules:\n    - ▮admit: Deny\n`, "spec.rules[0].name: Required value"],
      [
        `${head}  rules:\n    - { admit: Deny, name: ▮My_Rule }\n`,
        "spec.rules[0].name: Invalid value: \"My_Rule\": a name has lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit",
      ],
      [
        `${head}  rules: [{ name: a, admit: Deny }, { name: ▮a, admit: Allow }]\n`,
        'spec.rules[1].name: Duplicate value: "a"',
      ],
      // patterns
      [
        rule("match: { images: [▮nginx] }\nadmit: Deny"),
        'spec.rules[0].match.images[0]: Invalid value: "nginx": images are matched by their whole name; did you mean docker.io/library/nginx?',
      ],
      [
        rule("match: { images: [docker.io, ▮acme/app] }\nadmit: Deny"),
        'spec.rules[0].match.images[1]: Invalid value: "acme/app": images are matched by their whole name; did you mean docker.io/acme/app?',
      ],
      [
        rule("match: { images: [▮'quay.io/a/b:1.*'] }\nadmit: Deny"),
        'spec.rules[0].match.images[0]: Invalid value: "quay.io/a/b:1.*": a pattern has no tag; put "1.*" into tags',
      ],
      [
        rule("match: { images: [▮'quay.io/a**'] }\nadmit: Deny"),
        "spec.rules[0].match.images[0]: Invalid value: \"quay.io/a**\": '**' stands for whole segments; write '*' within one",
      ],
      [
        rule("match: { images: [▮'quay.io/{a,b}'] }\nadmit: Deny"),
        "spec.rules[0].match.images[0]: Invalid value: \"quay.io/{a,b}\": patterns know '*' and '**' only; write several entries",
      ],
      [
        rule("match: { images: [▮quay.io/App] }\nadmit: Deny"),
        'spec.rules[0].match.images[0]: Invalid value: "quay.io/App": the path of an image\'s name is in lower case',
      ],
      [
        rule(`match: { images: [▮quay.io/a@sha256:${"a".repeat(64)}] }\nadmit: Deny`),
        `spec.rules[0].match.images[0]: Invalid value: "quay.io/a@sha256:${"a".repeat(64)}": a pattern has no digest; use pinned`,
      ],
      [
        rule("match: { images: [▮/a/b] }\nadmit: Deny"),
        'spec.rules[0].match.images[0]: Invalid value: "/a/b": a pattern is written like docker.io/library/nginx or registry.acme.io/**',
      ],
      [
        rule("match: { tags: [▮'v[12]'] }\nadmit: Deny"),
        "spec.rules[0].match.tags[0]: Invalid value: \"v[12]\": a pattern has letters, digits, '.', '_', '-' and '*', and may begin with '!' to exclude",
      ],
      [
        rule("match: { labels: { matchExpressions: [{ key: a, operator: ▮in, values: [x] }] } }\nadmit: Deny"),
        'spec.rules[0].match.labels.matchExpressions[0].operator: Unsupported value: "in": supported values: "In", "NotIn", "Exists", "DoesNotExist"; did you mean In?',
      ],
      [
        rule("match: { labels: { matchExpressions: [▮{ key: a, operator: In }] } }\nadmit: Deny"),
        "spec.rules[0].match.labels.matchExpressions[0].values: Required value",
      ],
      [
        rule("match: { labels: ▮{} }\nadmit: Deny"),
        "spec.rules[0].match.labels: says nothing; leave it out, or give it one of its keys",
      ],
      // what is written as text
      [
        rule("pull: { checkEvery: ▮10 min }"),
        'spec.rules[0].pull.checkEvery: Invalid value: "10 min": a duration is written like 10m, 1h30m or 7d; did you mean 10m?',
      ],
      [
        rule("pull: { maxStaleness: ▮0h }"),
        'spec.rules[0].pull.maxStaleness: Invalid value: "0h": the duration must be longer than nothing',
      ],
      [
        rule("pull: { maxStaleness: ▮10 }"),
        "spec.rules[0].pull.maxStaleness: Invalid value: 10: must be a string, not a number: put it in quotes",
      ],
      [rule("pull: ▮{}"), "spec.rules[0].pull: says nothing; leave it out, or give it one of its keys"],
      [
        rule("require: { maxSize: ▮2GB }"),
        'spec.rules[0].require.maxSize: Invalid value: "2GB": a size is written like 500M or 2Gi; did you mean 2G?',
      ],
      [
        rule("require: { maxSize: ▮true }"),
        "spec.rules[0].require.maxSize: Invalid value: true: must be a string or a number, not a boolean",
      ],
      [rule("require: { maxSize: ▮-1 }"), "spec.rules[0].require.maxSize: Invalid value: -1: must be more than 0"],
      [
        rule("require: { platforms: [▮amd64] }"),
        'spec.rules[0].require.platforms[0]: Invalid value: "amd64": "amd64" is not os/architecture[/variant]',
      ],
      [
        rule("when: { pull: [▮monday-friday 8:00-18:00] }"),
        'spec.rules[0].when.pull[0]: Invalid value: "monday-friday 8:00-18:00": a window is written like "Mon-Fri 08:00-18:00" or "*"; did you mean "Mon-Fri 08:00-18:00"?',
      ],
      [
        rule("when: { pull: ['*', ▮25:00-26:00] }"),
        'spec.rules[0].when.pull[1]: Invalid value: "25:00-26:00": a window is written like "Mon-Fri 08:00-18:00" or "*"',
      ],
      [
        rule("when: { pull: [▮08:00-08:00] }"),
        'spec.rules[0].when.pull[0]: Invalid value: "08:00-08:00": the window has no length; write "00:00-24:00" for whole days',
      ],
      [rule("when: ▮{ timeZone: UTC }"), "spec.rules[0].when: says nothing of times; give it pull or closed"],
      [
        rule("when: { closed: [{ from: 2026-12-20, until: ▮2026-12-19 }] }"),
        'spec.rules[0].when.closed[0].until: Invalid value: "2026-12-19": it ends before it begins, on 2026-12-20',
      ],
      [
        rule("when: { closed: [{ from: ▮2026-02-30, until: 2026-12-19 }] }"),
        'spec.rules[0].when.closed[0].from: Invalid value: "2026-02-30": there is no such day',
      ],
      [rule("when: { closed: [▮{ from: 2026-12-20 }] }"), "spec.rules[0].when.closed[0].until: Required value"],
      [
        rule("when: { pull: [Mon], timeZone: ▮Europe/Berln }"),
        'spec.rules[0].when.timeZone: Invalid value: "Europe/Berln": a time zone is written like Europe/Berlin or UTC; did you mean Europe/Berlin?',
      ],
      [
        rule("when: { pull: [Mon], otherwise: ▮deny }"),
        'spec.rules[0].when.otherwise: Unsupported value: "deny": supported values: "UseCached", "Deny"; did you mean Deny?',
      ],
      [
        rule("from: { mirrors: [▮mirror.acme.io] }"),
        'spec.rules[0].from.mirrors[0]: Invalid value: "mirror.acme.io": a mirror is written like https://mirror.acme.io; did you mean https://mirror.acme.io?',
      ],
      [
        rule("from: { mirrors: [▮'http://mirror.acme.io'] }"),
        'spec.rules[0].from.mirrors[0]: Invalid value: "http://mirror.acme.io": plain HTTP is for this machine only; write https://, or allow it with plainHttp: true',
      ],
      [
        rule("from: { mirrors: [▮'https://mirror.acme.io/v2/'] }"),
        'spec.rules[0].from.mirrors[0]: Invalid value: "https://mirror.acme.io/v2/": leave /v2 out: it comes behind the host anyway',
      ],
      [
        rule("from: { mirrors: [▮'https://mirror.acme.io:99999'] }"),
        'spec.rules[0].from.mirrors[0]: Invalid value: "https://mirror.acme.io:99999": there is no such port',
      ],
      [
        rule("from: { mirrors: [▮'https://user:secret@mirror.acme.io'] }"),
        "spec.rules[0].from.mirrors[0]: an address has no login and no query; the nodes have the logins",
      ],
      [
        rule("match: { expression: ▮'imge.tag == \"a\"' }\nadmit: Deny"),
        'spec.rules[0].match.expression: Invalid value: "imge.tag == \\"a\\"": there is no imge; did you mean image?',
      ],
      // exemptions
      [
        exempting(`{ rules: [▮sanee], ${exemption}, expires: 2027-01-31 }`),
        'spec.exemptions[0].rules[0]: there is no rule "sanee" in this document; did you mean sane?',
      ],
      [
        exempting(`{ rules: [▮nothing-alike], ${exemption}, expires: 2027-01-31 }`),
        'spec.exemptions[0].rules[0]: there is no rule "nothing-alike" in this document; the rules are sane',
      ],
      [
        exempting(`{ rules: [sane], ${exemption}, expires: ▮2027-02-30 }`),
        'spec.exemptions[0].expires: Invalid value: "2027-02-30": there is no such day',
      ],
      [
        exempting(`{ rules: [sane], ${exemption}, expires: ▮2027-01-31T25:00:00Z }`),
        'spec.exemptions[0].expires: Invalid value: "2027-01-31T25:00:00Z": there is no such time of day',
      ],
      [
        exempting(`{ rules: [sane], ${exemption}, expires: ▮next year }`),
        'spec.exemptions[0].expires: Invalid value: "next year": a date is written like 2027-01-31 (to the end of that day in UTC) or 2027-01-31T18:00:00Z (RFC 3339)',
      ],
      [exempting(`▮{ rules: [sane], ${exemption} }`), "spec.exemptions[0].expires: Required value"],
      [
        exempting(`▮{ rules: [sane], match: { pinned: true }, owner: o, expires: 2027-01-31 }`),
        "spec.exemptions[0].reason: Required value",
      ],
      // custom resources
      [
        resource("{ apiGroup: ▮db.example.com/v1, kinds: [A], images: [spec.image] }"),
        "spec.customResources[0].apiGroup: Invalid value: \"db.example.com/v1\": this is the group alone, without a version, as in db.example.com; '*.' may stand at its beginning",
      ],
      [
        resource("{ apiGroup: a.example, kinds: [A], images: [▮'spec.engines[0].image'] }"),
        "spec.customResources[0].images[0]: Invalid value: \"spec.engines[0].image\": a path has keys with '.' between them, and '[*]' behind that of a list, as in spec.engines[*].image",
      ],
      [resource("▮{ apiGroup: a.example, kinds: [A] }"), "spec.customResources[0].images: Required value"],
      // documents
      [
        `apiVersion: pulley.dev/v1alpha1\nkind: ▮ImagePullPolcy\n`,
        'kind: Unsupported value: "ImagePullPolcy": supported values: "ImagePullPolicy"; did you mean ImagePullPolicy?',
      ],
      [
        `apiVersion: ▮pulley.dev/v1\nkind: ImagePullPolicy\n`,
        'apiVersion: Unsupported value: "pulley.dev/v1": supported values: "pulley.dev/v1alpha1"',
      ],
      [`▮apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: p }\n`, "spec: Required value"],
      ["▮rules: []\n", "this is not a Kubernetes object: it has no kind"],
      [
        `${head}  rules: [{ name: r, admit: Deny }]\n---\n▮${head}  rules: [{ name: r, admit: Deny }]\n`,
        'metadata.name: Duplicate value: "p": so is the one at policy.yaml:1',
      ],
    ].map(([marked = "", message = ""]) => [message, marked] as const),
  )("%s", (message, marked) => {
    expect(read(marked).problems).toEqual([`${placeOf(marked)} ${message}`]);
  });
});
