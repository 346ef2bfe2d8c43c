/* Which nodes are shown: conditions on type and attributes in the library's filter language, which the library judges. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api';

export interface Condition {
  property: string;
  operator: string;
  value: string;
}

const OPERATORS: [string, string][] = [
  ['$eq', 'is'],
  ['$ne', 'is not'],
  ['$gt', '>'],
  ['$gte', '≥'],
  ['$lt', '<'],
  ['$lte', '≤'],
  ['$prefix', 'begins with'],
  ['$contains', 'contains'],
  ['$in', 'is one of'],
  ['$exists', 'is there'],
];

/** What was typed as JSON, if it is that: 5, true, null, "5"; else a text. */
function literal(text: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? text : read;
  } catch {
    return text;
  }
}

export function filterOf(conditions: readonly Condition[]): Record<string, unknown> | undefined {
  const all = conditions
    .filter(({ property }) => property !== '')
    .map(({ property, operator, value }) => {
      const field = ['key', 'type'].includes(property) || /^(attributes|metadata)\./.test(property) ? property : `attributes.${property}`;
      const operand =
        operator === '$in'
          ? value.split(',').map((part) => literal(part.trim()))
          : operator === '$exists'
            ? value !== 'false'
            : ['$prefix', '$contains'].includes(operator)
              ? value
              : literal(value);
      return { [field]: { [operator]: operand } };
    });
  return all.length === 0 ? undefined : all.length === 1 ? all[0] : { $and: all };
}

export function conditionsOf(text: string | null): Condition[] {
  try {
    const read = JSON.parse(text ?? '[]') as [string, string, string][];
    return read.map(([property, operator, value]) => ({ property: String(property), operator: String(operator), value: String(value) }));
  } catch {
    return [];
  }
}

export function textOf(conditions: readonly Condition[]): string | undefined {
  return conditions.length === 0 ? undefined : JSON.stringify(conditions.map(({ property, operator, value }) => [property, operator, value]));
}

/** What can be asked for: names of attributes with values that they are known to have. */
export type Properties = Map<string, string[]>;

interface Schema {
  properties?: Record<string, { enum?: unknown[]; const?: unknown; type?: unknown }>;
}

/** From the graph type's module, and from some nodes as they are. */
export async function propertiesOf(graph: string, nodeTypes: readonly string[], signal: AbortSignal): Promise<Properties> {
  const found: Properties = new Map([['type', nodeTypes.filter((name) => name !== '')], ['key', []]]);
  const { graph_type } = await call<{ graph_type: string }>('graphs.get', { name: graph }, signal);
  const { module } = await call<{ module?: { $defs?: Record<string, Schema> } }>('graph_types.get', { name: graph_type }, signal);
  for (const [name, schema] of Object.entries(module?.$defs ?? {})) {
    if (!name.endsWith('Node')) continue;
    for (const [property, { enum: values, const: only, type }] of Object.entries(schema.properties ?? {})) {
      const known = values ?? (only !== undefined ? [only] : type === 'boolean' ? [true, false] : []);
      found.set(property, [...new Set([...(found.get(property) ?? []), ...known.map(textual)])]);
    }
  }
  const { items } = await call<{ items: { attributes: Record<string, unknown> }[] }>('nodes.list', { graph, limit: SAMPLE }, signal);
  const seen = new Map<string, Map<string, number>>();
  for (const { attributes } of items) {
    for (const [property, item] of Object.entries(attributes)) {
      if (!found.has(property)) found.set(property, []);
      const counts = seen.get(property) ?? new Map<string, number>();
      seen.set(property, counts);
      if (typeof item === 'string' ? item.length <= 40 : typeof item !== 'object') counts.set(textual(item), (counts.get(textual(item)) ?? 0) + 1);
    }
  }
  // What comes again and again is one of a few; what is told once is no help.
  for (const [property, counts] of seen) {
    if (found.get(property)!.length === 0 && counts.size <= 30) found.set(property, [...counts].filter(([, times]) => times > 1).map(([text]) => text).sort());
  }
  return found;
}
const SAMPLE = 300;

/** A value as it is typed: a text that reads as something else stands in quotes. */
function textual(item: unknown): string {
  return typeof item === 'string' && literal(item) === item ? item : JSON.stringify(item, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}

export function FilterBuilder({ conditions, properties, apply }: { conditions: Condition[]; properties: Properties; apply: (conditions: Condition[]) => void }): JSX.Element {
  const [drafts, setDrafts] = useState<Condition[]>(conditions.length > 0 ? conditions : [{ property: '', operator: '$eq', value: '' }]);
  const change = (at: number, part: Partial<Condition>): void => setDrafts(drafts.map((draft, index) => (index === at ? { ...draft, ...part } : draft)));
  return (
    <form
      class="filter"
      aria-label="Filter by attributes"
      onSubmit={(event) => {
        event.preventDefault();
        apply(drafts.filter(({ property }) => property !== ''));
      }}
    >
      <datalist id="properties">
        {[...properties.keys()].map((property) => (
          <option key={property} value={property} />
        ))}
      </datalist>
      {drafts.map(({ property }, at) => (
        <datalist id={`values-${at}`} key={at}>
          {(properties.get(property.replace(/^attributes\./, '')) ?? []).map((known) => (
            <option key={known} value={known} />
          ))}
        </datalist>
      ))}
      {drafts.map((draft, at) => (
        <div class="condition" key={at}>
          <input aria-label="Property" placeholder="property" list="properties" value={draft.property} onInput={(event) => change(at, { property: event.currentTarget.value })} />
          <select aria-label="Operator" value={draft.operator} onChange={(event) => change(at, { operator: event.currentTarget.value })}>
            {OPERATORS.map(([operator, name]) => (
              <option key={operator} value={operator}>
                {name}
              </option>
            ))}
          </select>
          {draft.operator === '$exists' ? (
            <select aria-label="Value" value={draft.value === 'false' ? 'false' : 'true'} onChange={(event) => change(at, { value: event.currentTarget.value })}>
              <option value="true">yes</option>
              <option value="false">no</option>
            </select>
          ) : (
            <input aria-label="Value" placeholder="value" list={`values-${at}`} value={draft.value} onInput={(event) => change(at, { value: event.currentTarget.value })} />
          )}
          <button type="button" class="icon" aria-label="Remove this condition" onClick={() => setDrafts(drafts.filter((_, index) => index !== at))}>
            ×
          </button>
        </div>
      ))}
      <div class="actions">
        <button type="button" class="small" onClick={() => setDrafts([...drafts, { property: '', operator: '$eq', value: '' }])}>
          Add condition
        </button>
        <button type="submit" class="small primary">
          Apply
        </button>
        {conditions.length > 0 && (
          <button
            type="button"
            class="small"
            onClick={() => {
              setDrafts([{ property: '', operator: '$eq', value: '' }]);
              apply([]);
            }}
          >
            Clear
          </button>
        )}
      </div>
    </form>
  );
}
