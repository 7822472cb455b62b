import { expect, it } from "vitest";
import { readManifests } from "../../workload/documents.ts";
import { groupOf, imagePlaces, podTemplates } from "../../workload/templates.ts";
import { setImage, setPullPolicy } from "./fields.ts";
import { planFixes } from "./plan.ts";

it("works", () => {
  const text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - image: nginx # c\n         # more\n    name: x\n  - {name: b, image: c}";
  const { documents } = readManifests(text, "f");
  const attempts = documents.flatMap((document) =>
    podTemplates(document)
      .flatMap((template) => imagePlaces(template, groupOf(document.apiVersion)))
      .flatMap((place) => [
        setPullPolicy(document.text, place, "Always"),
        setImage(document.text, place, "nginx:2@sha256:ab"),
      ]),
  );
  const plan = planFixes(
    text,
    "f",
    attempts.flatMap(({ fix }) => fix ?? []),
  );
  expect(plan.refused).toEqual([]);
  console.log(plan.text);
});
