/** The page's one script: the filter. Without it the page shows everything. */
export const htmlScript = `
const form = document.getElementById("filter");
const articles = Array.from(document.querySelectorAll("article"));
function filter() {
  const data = new FormData(form);
  const severities = new Set(data.getAll("severity"));
  const rule = data.get("rule");
  const text = data.get("text").trim().toLowerCase();
  let shown = 0;
  for (const article of articles) {
    const fits =
      severities.has(article.dataset.severity) &&
      (rule === "" || rule === article.dataset.rule) &&
      (text === "" || article.textContent.toLowerCase().includes(text));
    article.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const section of document.querySelectorAll("section.file")) {
    section.hidden = section.querySelector("article:not([hidden])") === null;
  }
  form.elements.shown.value = shown + " of " + articles.length + " shown";
}
if (form !== null) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
`;
