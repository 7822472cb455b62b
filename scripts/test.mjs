// `npm test`: every test, or those whose file names contain one of the arguments. The last line is the outcome.
import "./prepare.mjs";
import { runTests } from "./support/vitest.mjs";

process.exit(await runTests(process.argv.slice(2)));
