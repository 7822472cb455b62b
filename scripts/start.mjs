// `npm start`: the example that shows what Pulley does, on this machine, in a minute.
import "./prepare.mjs";

await import("../dist/examples/start.mjs");
