/** The style that the pages of all reports share: light, dark and print. The contrast of all text is at least 4.5 to 1 (WCAG 1.4.3). */
export const pageStyle = `
:root {
  --page: #f6f7f9; --card: #ffffff; --ink: #1a1f27; --quiet: #566071; --line: #d8dde5; --code: #f1f3f6;
  --link: #0b57b0; --error: #b3261e; --warning: #865300; --note: #2b5a9b; --mark: #ffe3a6; --fix: #17663a;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151a; --card: #1b2027; --ink: #e6e9ee; --quiet: #a3adbb; --line: #343c48; --code: #14181e;
    --link: #8ab8ff; --error: #ff9389; --warning: #f0bd66; --note: #93bdf5; --mark: #5a4513; --fix: #7fd6a2;
  }
}
* { box-sizing: border-box; }
html { text-size-adjust: 100%; scroll-padding-top: 1rem; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { display: block; max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; line-height: 1.4; margin: 2.5rem 0 .75rem; overflow-wrap: anywhere; }
h3, h4 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
.total { font-size: 1.15rem; }
footer { color: var(--quiet); font-size: .85rem; margin-top: 3rem; }
.tables { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; margin: 1.5rem 0; align-items: start; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: 0 0 .4rem; }
th, td { padding: .35rem .75rem; border-top: 1px solid var(--line); text-align: right; font-variant-numeric: tabular-nums; }
th:first-child { text-align: left; width: 100%; overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; }
tbody th { font-weight: 400; }
td { color: var(--severity); font-weight: 600; }
.zero { color: var(--quiet); font-weight: 400; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; padding: .75rem 1rem; background: var(--card); border: 1px solid var(--line); }
input, select { font: inherit; accent-color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
output { margin-left: auto; color: var(--quiet); }
article { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--severity); padding: .8rem 1rem; margin: 0 0 .75rem; content-visibility: auto; contain-intrinsic-size: auto 10rem; }
.place { color: var(--quiet); font-size: .9rem; display: flex; flex-wrap: wrap; gap: 0 1rem; }
.fix { color: var(--fix); }
.severity { color: var(--severity); margin-right: .35rem; }
code { unicode-bidi: isolate; }
@media print {
  :root { --page: #ffffff; --card: #ffffff; --ink: #000000; --quiet: #444444; --line: #999999; --code: #ffffff; --mark: #eeeeee; --link: #000000; --error: #b3261e; --warning: #865300; --note: #2b5a9b; --fix: #000000; }
  main { max-width: none; padding: 0; }
  form { display: none; }
  article { break-inside: avoid; content-visibility: visible; }
  h2 { break-after: avoid; }
}
`;
