// `npm test`: every test, or those whose file names contain one of the arguments. The last line is the outcome.
import "./prepare.mjs";
import { randomInt } from "node:crypto";
import { runTests } from "./support/vitest.mjs";

// What the networks between programs do in tests: another thing each time, and the same again where it is asked for.
process.env["PULLEY_NETWORK_SEED"] ||= String(randomInt(2 ** 32));
console.log(`the networks of this run: PULLEY_NETWORK_SEED=${process.env["PULLEY_NETWORK_SEED"]}`);
process.exit(await runTests(process.argv.slice(2)));
