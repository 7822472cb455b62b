/** A table of pages: how much of each severity there is. */

export interface SeverityTable<Severity extends string> {
  readonly caption: string;
  /** What the rows are: `Cluster`. */
  readonly noun: string;
  /** From the worst to the least, each with the title of its column. */
  readonly severities: readonly (readonly [severity: Severity, title: string])[];
  readonly rows: readonly SeverityRow<Severity>[];
}

export interface SeverityRow<Severity extends string> {
  /** HTML. */
  readonly head: string;
  readonly counts: Readonly<Record<Severity, number>>;
}

export function severityTable<Severity extends string>(table: SeverityTable<Severity>): string {
  const { caption, noun, severities, rows } = table;
  const heads = severities.map(([, title]) => `<th scope="col">${title}</th>`).join("");
  const lines = rows.map(({ head, counts }) => {
    const cells = severities.map(
      ([severity]) => `<td class="${counts[severity] === 0 ? "zero" : severity}">${counts[severity]}</td>`,
    );
    return `<tr><th scope="row">${head}</th>${cells.join("")}</tr>\n`;
  });
  return `<table>
<caption>${caption}</caption>
<thead><tr><th scope="col">${noun}</th>${heads}</tr></thead>
<tbody>
${lines.join("")}</tbody>
</table>
`;
}
