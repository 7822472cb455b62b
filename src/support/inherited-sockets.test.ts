import { expect, test } from "vitest";
import { inheritedSockets } from "./inherited-sockets.ts";

test.each([
  ["nothing", {}],
  ["sockets for another process", { LISTEN_PID: "1", LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b" }],
  ["no number", { LISTEN_PID: "77", LISTEN_FDS: "many" }],
  ["a negative number", { LISTEN_PID: "77", LISTEN_FDS: "-1" }],
  ["descriptors that are not open", { LISTEN_PID: "77", LISTEN_FDS: "999" }],
])("of %s nothing is taken, and nothing is handed on", (_title, said) => {
  const environment: NodeJS.ProcessEnv = { PATH: "/bin", ...said };
  const sockets = inheritedSockets({ environment, pid: 77 });
  expect(sockets.take("/run/pulley/cri.sock")).toBeUndefined();
  expect(environment).toEqual({ PATH: "/bin" });
});
