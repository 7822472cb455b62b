// `npm start`: the example that shows what Pulley does, on this machine, in a minute.
import "./prepare.mjs";

// An address rather than a path: what is built is not type-checked.
await import(new URL("../dist/examples/start.mjs", import.meta.url).href);
