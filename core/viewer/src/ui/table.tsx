/* A table whose rows can be opened, and show more of themselves then. One of its rows is in the tab order; arrows, Home and End go from row to row, Enter opens. */
import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';

export interface Column<Row> {
  name: string;
  /** Numbers stand under each other. */
  number?: boolean;
  /** Gets what room there is, and is cut there. */
  wide?: boolean;
  cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** Where a row leads: its first cell is a link. */
  link?: (row: Row) => string;
  /** What is done with a row: its first cell is a button. */
  open?: (row: Row) => void;
  /** The row that is open. */
  current?: string | number | undefined;
  nameOf?: (row: Row) => string;
  /** What stands beneath the row that is open. */
  detail?: (row: Row) => ComponentChildren;
}

export function Table<Row>({ label, columns, rows, keyOf, link, open, current, nameOf, detail }: Props<Row>): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const [focused, setFocused] = useState<string | number>();
  const known = rows.some((row) => keyOf(row) === focused);
  const entry = known ? focused : rows.some((row) => keyOf(row) === current) ? current : rows[0] && keyOf(rows[0]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const targets = [...(body.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
    const at = targets.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: targets.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    targets[Math.max(0, Math.min(targets.length - 1, next))]?.focus();
  };
  const first = (row: Row, cell: ComponentChildren): ComponentChildren => {
    const key = keyOf(row);
    const common = { 'data-row': true, tabIndex: key === entry ? 0 : -1, onFocus: () => setFocused(key), 'aria-label': nameOf?.(row) };
    if (link !== undefined) {
      return (
        <a href={link(row)} aria-current={key === current ? 'true' : undefined} {...common}>
          {cell}
        </a>
      );
    }
    if (open === undefined) return cell;
    return (
      <button type="button" class="link" onClick={() => open(row)} aria-expanded={key === current} {...common}>
        {cell}
      </button>
    );
  };
  return (
    // A table may be wider than the window: it is scrolled, not the page.
    <div class="table-frame">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ name, number, wide }) => (
              <th key={name} scope="col" class={number ? 'number' : wide ? 'wide' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKeyDown}>
          {rows.flatMap((row) => [
            <tr key={keyOf(row)} class={keyOf(row) === current ? 'current' : undefined} onClick={(event) => pick(event, row, link, open)}>
              {columns.map(({ name, number, wide, cell }, at) => (
                <td key={name} class={number ? 'number' : wide ? 'wide' : undefined}>
                  {at === 0 ? first(row, cell(row)) : cell(row)}
                </td>
              ))}
            </tr>,
            detail !== undefined && keyOf(row) === current && (
              <tr key={`${keyOf(row)} detail`} class="detail">
                <td colSpan={columns.length}>
                  <div>{detail(row)}</div>
                </td>
              </tr>
            ),
          ])}
        </tbody>
      </table>
    </div>
  );
}

/** Anywhere in the row, for the mouse; what is a control itself does its own. */
function pick<Row>(event: MouseEvent, row: Row, link?: (row: Row) => string, open?: (row: Row) => void): void {
  if ((event.target as Element).closest('a, button, input, select') !== null || getSelection()?.toString()) return;
  if (link !== undefined) location.hash = link(row);
  else open?.(row);
}
