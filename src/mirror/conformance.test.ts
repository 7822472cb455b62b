import { describePullConformance } from "./testing/conformance.ts";
import { openSubject } from "./testing/subject.ts";

describePullConformance("a mirror over the embedded store", () => openSubject());
