/** What the page of the fleet has besides the style that all reports share. */
import { pageStyle } from "../../support/html/style.ts";

export const fleetStyle = `${pageStyle}
.critical, .high { --severity: var(--error); }
.medium { --severity: var(--warning); }
.low { --severity: var(--note); }
header > p { margin: 0; }
.sums { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; list-style: none; margin: 1.5rem 0; padding: 0; }
.sums li { background: var(--card); border: 1px solid var(--line); border-top: .3rem solid var(--severity, var(--line)); }
.sums li > * { display: block; padding: .6rem 1rem .7rem; color: var(--severity, var(--quiet)); text-decoration: none; }
.sums a:hover b { text-decoration: underline; }
.sums b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tables { display: block; columns: 24rem 2; column-gap: 1.25rem; }
.tables table { break-inside: avoid; margin-bottom: 1.25rem; }
th, td { vertical-align: baseline; }
th small { display: block; color: var(--quiet); font-size: .92em; }
aside { border: 1px solid var(--line); border-left: .3rem solid var(--warning); background: var(--card); padding: .7rem 1rem; }
aside h2 { font-size: 1rem; margin: 0; }
aside ul { margin: .3rem 0 0; }
ul { padding-left: 1.2rem; margin: .4rem 0; }
article li { color: var(--quiet); font-size: .93rem; overflow-wrap: anywhere; }
section > h2 { color: var(--severity); border-bottom: 2px solid var(--severity); padding-bottom: .25rem; }
.count { color: var(--quiet); font-weight: 400; font-size: .93rem; }
summary { cursor: pointer; }
.group { margin: 0 0 1rem; }
.group > summary { padding: .4rem 0; }
.group > summary h3 { display: inline; }
article details { font-size: .93rem; }
article summary { color: var(--quiet); }
article .severity { font-size: .8rem; border: 1px solid; border-radius: .25rem; padding: .05rem .4rem; vertical-align: .08em; }
article.critical .severity { background: var(--severity); color: var(--card); border-color: var(--severity); }
article:target { outline: 2px solid var(--link); outline-offset: 2px; }
.anchor { color: var(--quiet); text-decoration: none; padding: 0 .35rem; font-weight: 400; }
.command { background: var(--code); padding: .4rem .75rem; margin-top: .5rem; }
.command code { user-select: all; }
form div { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
select { max-width: 14rem; }
@media (min-width: 60rem) {
  html { scroll-padding-top: 5rem; }
  form { position: sticky; top: 0; z-index: 1; margin: 0 -1px; }
}
@media (max-width: 30rem) {
  main { padding: 1.25rem .75rem 3rem; }
  .sums { gap: .4rem; }
  .sums li > * { padding: .4rem .5rem; font-size: .85rem; }
  .sums b { font-size: 1.4rem; }
  th, td { padding: .3rem .4rem; }
  table { font-size: .85rem; }
  label { display: flex; gap: .5rem; align-items: baseline; }
  form label select, form label input[type="search"] { flex: 1; min-width: 0; max-width: none; }
  form > label { flex: 1 0 100%; }
}
@media print {
  .anchor { display: none; }
  details::details-content { content-visibility: visible; }
  .sums li { break-inside: avoid; }
}
`;
