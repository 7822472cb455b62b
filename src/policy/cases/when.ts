/** When registries may be asked. */
import type { PullPolicy } from "../../workload/index.ts";
import type { LocalFacts } from "../types.ts";
import { absent, type Case, copy, type Expected, now, policyOf, requestFor, unknown } from "./case.ts";

const copies: Readonly<Record<string, LocalFacts>> = {
  unknown,
  absent,
  here: copy(60_000),
  "somebody else's": copy(60_000, "mustAuthenticate"),
};

/** What a kubelet does, by pull policy and copy. */
const kubelet: readonly (readonly [PullPolicy, string, Expected["action"]])[] = [
  ["Always", "unknown", "Check"],
  ["Always", "absent", "Check"],
  ["Always", "here", "Check"],
  ["Always", "somebody else's", "Check"],
  ["IfNotPresent", "unknown", "Pull"],
  ["IfNotPresent", "absent", "Pull"],
  ["IfNotPresent", "here", "Use"],
  ["IfNotPresent", "somebody else's", "Check"],
  ["Never", "unknown", "Use"],
  ["Never", "absent", "Refuse"],
  ["Never", "here", "Use"],
  ["Never", "somebody else's", "Refuse"],
];

const outside: Expected = { action: "Refuse", reason: "OutsidePullWindow", says: "2026-11-23T08:00:00Z" };

/** Outside of the windows: what needs no network goes on; else the copy, where that is allowed and one can be used. */
function expectedOutside(does: Expected["action"], otherwise: string, pullPolicy: PullPolicy, state: string): Expected {
  if (does === "Refuse" || does === "Use") return asKubelet(does);
  if (otherwise === "UseCached" && (state === "here" || state === "unknown")) return { action: "Use" };
  if (otherwise === "Deny" && state === "unknown" && pullPolicy === "IfNotPresent") return { action: "Use" };
  return outside;
}

function asKubelet(action: Expected["action"]): Expected {
  return action === "Refuse" ? { action, reason: "ErrImageNeverPull" } : { action };
}

const product: readonly Case[] = kubelet.flatMap(([pullPolicy, state, does]) =>
  ["UseCached", "Deny"].flatMap((otherwise) =>
    ["Mon-Fri 08:00-18:00", "Sat 08:00-18:00"].map(
      (window): Case => ({
        name: `${pullPolicy} on Saturday noon with ${window}, otherwise ${otherwise}, and a copy that is ${state}`,
        policy: policyOf([{ name: "calm", when: { pull: [window], otherwise } }]),
        request: requestFor("registry.acme.io/app:1", { pullPolicy }),
        facts: copies[state] ?? unknown,
        now,
        expected: {
          ...(window.startsWith("Sat") ? asKubelet(does) : expectedOutside(does, otherwise, pullPolicy, state)),
          pullPolicy,
          rules: { when: "p/calm" },
        },
      }),
    ),
  ),
);

/** Windows, time zone, an instant in UTC, and whether a window is open, or when the next one opens. */
const clock: readonly (readonly [readonly string[], string | undefined, string, true | string])[] = [
  [["*"], undefined, "2026-11-21T12:00:00Z", true],
  [["Mon-Fri 08:00-18:00"], undefined, "2026-11-20T08:00:00Z", true],
  [["Mon-Fri 08:00-18:00"], undefined, "2026-11-20T17:59:59Z", true],
  [["Mon-Fri 08:00-18:00"], undefined, "2026-11-20T18:00:00Z", "2026-11-23T08:00:00Z"],
  [["Mon-Fri 08:00-18:00"], undefined, "2026-11-20T07:59:59Z", "2026-11-20T08:00:00Z"],
  [["Mon-Fri 08:00-18:00"], "Europe/Berlin", "2026-11-20T07:00:00Z", true],
  [["Mon-Fri 08:00-18:00"], "Europe/Berlin", "2026-11-20T17:00:00Z", "2026-11-23T08:00:00+01:00"],
  [["Sat,Sun 10:00-14:00"], undefined, "2026-11-22T13:59:00Z", true],
  [["Sat,Sun 10:00-14:00"], undefined, "2026-11-22T14:00:00Z", "2026-11-28T10:00:00Z"],
  [["Sat"], undefined, "2026-11-21T00:00:00Z", true],
  [["Sat"], undefined, "2026-11-21T23:59:59Z", true],
  [["Sat"], undefined, "2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z"],
  [["Sat-Mon"], undefined, "2026-11-23T23:00:00Z", true],
  [["Sat-Mon"], undefined, "2026-11-24T00:00:00Z", "2026-11-28T00:00:00Z"],
  [["22:00-06:00"], undefined, "2026-11-21T23:00:00Z", true],
  [["22:00-06:00"], undefined, "2026-11-22T05:59:00Z", true],
  [["22:00-06:00"], undefined, "2026-11-22T06:00:00Z", "2026-11-22T22:00:00Z"],
  [["Sun 22:00-06:00"], undefined, "2026-11-23T05:59:00Z", true],
  [["Sun 22:00-06:00"], undefined, "2026-11-22T05:59:00Z", "2026-11-22T22:00:00Z"],
  [["Fri 20:00-24:00"], undefined, "2026-11-20T23:59:00Z", true],
  [["Fri 20:00-24:00"], undefined, "2026-11-21T00:00:00Z", "2026-11-27T20:00:00Z"],
  [["Mon 01:00-02:00", "Tue 01:00-02:00"], undefined, "2026-11-23T02:00:00Z", "2026-11-24T01:00:00Z"],
  // Berlin's clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
  [["02:00-03:00"], "Europe/Berlin", "2026-03-29T00:59:00Z", "2026-03-30T02:00:00+02:00"],
  [["02:00-03:00"], "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T02:00:00+02:00"],
  [["Sun 02:15-02:45"], "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-04-05T02:15:00+02:00"],
  [["Sun 02:30-04:00"], "Europe/Berlin", "2026-03-29T00:59:00Z", "2026-03-29T03:00:00+02:00"],
  [["Sun 02:30-04:00"], "Europe/Berlin", "2026-03-29T01:00:00Z", true],
  [["02:00-03:00"], "Europe/Berlin", "2026-10-25T00:30:00Z", true],
  [["02:00-03:00"], "Europe/Berlin", "2026-10-25T01:30:00Z", true],
  [["02:00-03:00"], "Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-26T02:00:00+01:00"],
  [["Sun 02:00-02:30"], "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T02:00:00+01:00"],
  [["Mon-Fri 08:00-18:00"], "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T08:00:00+02:00"],
  // New York's go forward on 8 March 2026 and back on 1 November.
  [["Sun 02:00-03:00"], "America/New_York", "2026-03-08T06:59:00Z", "2026-03-15T02:00:00-04:00"],
  [["Sun 01:00-02:00"], "America/New_York", "2026-11-01T05:30:00Z", true],
  [["Sun 01:00-02:00"], "America/New_York", "2026-11-01T06:30:00Z", true],
  [["Sun 01:00-02:00"], "America/New_York", "2026-11-01T07:00:00Z", "2026-11-08T01:00:00-05:00"],
  [["Mon 09:00-17:00"], "America/New_York", "2026-11-01T12:00:00Z", "2026-11-02T09:00:00-05:00"],
  // Lord Howe's move by half an hour: back from 02:00 to 01:30 on 5 April 2026, from 02:00 to 02:30 on 4 October.
  [["Sun 01:30-02:00"], "Australia/Lord_Howe", "2026-04-04T14:45:00Z", true],
  [["Sun 01:30-02:00"], "Australia/Lord_Howe", "2026-04-04T15:15:00Z", true],
  [["Sun 01:30-02:00"], "Australia/Lord_Howe", "2026-04-04T15:30:00Z", "2026-04-12T01:30:00+10:30"],
  [["Sun 02:00-02:30"], "Australia/Lord_Howe", "2026-10-03T15:00:00Z", "2026-10-11T02:00:00+11:00"],
  [["Sun 02:15-03:00"], "Australia/Lord_Howe", "2026-10-03T15:00:00Z", "2026-10-04T02:30:00+11:00"],
  [["Mon-Fri 08:00-18:00"], "Asia/Kathmandu", "2026-11-20T02:14:00Z", "2026-11-20T08:00:00+05:45"],
  [["Mon-Fri 08:00-18:00"], "Pacific/Apia", "2026-11-20T12:00:00Z", "2026-11-23T08:00:00+13:00"],
];

/** Outside of these times nothing is pulled; `opens` says whether it may be at the instant, or from when on. */
function timed(name: string, spans: object, instant: string, opens: true | string): Case {
  return {
    name: `${name} at ${instant}`,
    policy: policyOf([{ name: "calm", when: { ...spans, otherwise: "Deny" } }]),
    request: requestFor("registry.acme.io/app:1", { pullPolicy: "Always" }),
    facts: absent,
    now: Date.parse(instant),
    expected: {
      ...(opens === true
        ? { action: "Check" as const }
        : { action: "Refuse" as const, reason: "OutsidePullWindow" as const, says: `opens at ${opens}` }),
      rules: { when: "p/calm" },
    },
  };
}

const times = clock.map(([pull, timeZone, instant, opens]) =>
  timed(`${pull.join(" and ")} in ${timeZone ?? "UTC"}`, { pull, ...(timeZone && { timeZone }) }, instant, opens),
);

const closed = { pull: ["Mon 08:00-09:00"] };

/** What else a rule says of freshness holds outside of the windows too. */
const together: readonly Case[] = (
  [
    [
      "a copy that is too old is not used",
      { maxStaleness: "24h" },
      copy(25 * 3_600_000),
      "IfNotPresent",
      outside.reason,
    ],
    ["a copy that was confirmed lately is used", { checkEvery: "10m" }, copy(60_000), "Always", undefined],
    ["an old copy is used where nothing bounds its age", {}, copy(undefined), "Always", undefined],
  ] as const
).map(([name, pull, facts, policy, reason]) => ({
  name: `outside of all windows ${name}`,
  policy: policyOf([{ name: "both", pull: { policy, ...pull }, when: closed }]),
  request: requestFor("app:1"),
  facts,
  now,
  expected: reason === undefined ? { action: "Use" } : { action: "Refuse", reason },
}));

const denied: readonly Case[] = [
  {
    name: "on a node that was not looked at, a copy that need not be checked may do where pulls are denied",
    policy: policyOf([
      { name: "both", pull: { policy: "Always", checkEvery: "10m" }, when: { ...closed, otherwise: "Deny" } },
    ]),
    request: requestFor("app:1"),
    facts: unknown,
    now,
    expected: { action: "Use", says: "need not be checked" },
  },
];

type Freeze = readonly [from: string, until: string];

/** Freezes, windows, time zone, an instant in UTC, and whether registries may be asked then, or from when on. */
const calendar: readonly (readonly [
  readonly Freeze[],
  string | undefined,
  string | undefined,
  string,
  true | string,
])[] = [
  [[["2026-12-20", "2027-01-04"]], undefined, undefined, "2026-12-19T23:59:59Z", true],
  [[["2026-12-20", "2027-01-04"]], undefined, undefined, "2026-12-20T00:00:00Z", "2027-01-05T00:00:00Z"],
  [[["2026-12-20", "2027-01-04"]], undefined, undefined, "2027-01-04T23:59:59Z", "2027-01-05T00:00:00Z"],
  [[["2026-12-20", "2027-01-04"]], undefined, undefined, "2027-01-05T00:00:00Z", true],
  [[["2026-12-24", "2026-12-24"]], undefined, undefined, "2026-12-24T12:00:00Z", "2026-12-25T00:00:00Z"],
  // Days are days of the time zone; moments are moments.
  [[["2026-12-20", "2027-01-04"]], undefined, "Europe/Berlin", "2026-12-19T22:59:59Z", true],
  [[["2026-12-20", "2027-01-04"]], undefined, "Europe/Berlin", "2026-12-19T23:00:00Z", "2027-01-05T00:00:00+01:00"],
  [[["2026-12-20T18:00:00+01:00", "2026-12-21"]], undefined, undefined, "2026-12-20T16:59:59Z", true],
  [
    [["2026-12-20T18:00:00+01:00", "2026-12-21T06:30:00Z"]],
    undefined,
    undefined,
    "2026-12-20T17:00:00Z",
    "2026-12-21T06:30:00Z",
  ],
  // Windows hold before and after.
  [[["2026-12-20", "2027-01-04"]], "Mon-Fri 08:00-18:00", undefined, "2026-12-22T12:00:00Z", "2027-01-05T08:00:00Z"],
  [[["2026-12-20", "2027-01-04"]], "Mon-Fri 08:00-18:00", undefined, "2026-12-18T20:00:00Z", "2027-01-05T08:00:00Z"],
  [[["2026-12-20", "2027-01-04"]], "Mon-Fri 08:00-18:00", undefined, "2027-01-05T09:00:00Z", true],
  // One freeze may begin before the other ends, and one may follow on the other.
  [
    [
      ["2026-12-20", "2026-12-24"],
      ["2026-12-23", "2026-12-31"],
      ["2027-01-01", "2027-01-01"],
    ],
    undefined,
    undefined,
    "2026-12-21T00:00:00Z",
    "2027-01-02T00:00:00Z",
  ],
  // Clocks of Beirut leave midnight out on 29 March 2026; those of Azores show its last hour twice on 25 October.
  [[["2026-03-29", "2026-03-29"]], undefined, "Asia/Beirut", "2026-03-28T21:59:59Z", true],
  [[["2026-03-28", "2026-03-28"]], undefined, "Asia/Beirut", "2026-03-28T21:59:59Z", "2026-03-29T01:00:00+03:00"],
  [[["2026-10-25", "2026-10-25"]], undefined, "Atlantic/Azores", "2026-10-24T23:30:00Z", true],
  [
    [["2026-10-24", "2026-10-24"]],
    undefined,
    "Atlantic/Azores",
    "2026-10-24T23:30:00Z",
    "2026-10-25T00:00:00Z (Atlantic/Azores)",
  ],
];

const freezes = calendar.map(([closings, window, timeZone, instant, opens]) => {
  const freeze = closings.map(([from, until]) => ({ from, until }));
  const when = { ...(window && { pull: [window] }), closed: freeze, ...(timeZone && { timeZone }) };
  const name = `closed ${closings.join(" and ")}, ${window ?? "no window"}, in ${timeZone ?? "UTC"}`;
  return timed(name, when, instant, opens);
});

export const whenCases: readonly Case[] = [...product, ...times, ...together, ...denied, ...freezes];
