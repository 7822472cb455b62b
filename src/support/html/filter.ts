/**
 * The one script of the pages: the filter. A select is about the attribute of the articles that is named as it is, which
 * holds one value, or several with blanks between them. Groups that are folded open where few articles are left, where a
 * link leads into them, and on paper. Without the script the page shows everything.
 */
export const filterScript = `
const form = document.getElementById("filter");
const articles = Array.from(document.querySelectorAll("article"));
const groups = Array.from(document.querySelectorAll("details.group"));
const few = 50;
function filter() {
  const data = new FormData(form);
  const severities = new Set(data.getAll("severity"));
  const chosen = Array.from(form.querySelectorAll("select")).filter(({ value }) => value !== "");
  const text = data.get("text").trim().toLowerCase();
  let shown = 0;
  for (const article of articles) {
    const fits =
      severities.has(article.dataset.severity) &&
      chosen.every(({ name, value }) => {
        const own = article.dataset[name];
        return own === value || own.split(" ").includes(value);
      }) &&
      (text === "" || article.textContent.toLowerCase().includes(text));
    article.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const place of document.querySelectorAll("section, details.group")) {
    place.hidden = place.querySelector("article:not([hidden])") === null;
  }
  const isNarrowed = shown < articles.length;
  for (const group of groups) if (isNarrowed && shown <= few) group.open = true;
  form.elements.shown.value = shown + " of " + articles.length + " shown";
}
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const group = target === null ? null : target.closest("details.group");
  if (group === null || group.open) return;
  group.open = true;
  target.scrollIntoView();
}
let folded = [];
addEventListener("beforeprint", () => {
  folded = Array.from(document.querySelectorAll("details:not([open])"));
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});
addEventListener("hashchange", unfold);
if (form !== null) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
unfold();
`;
