/*
 * JSON Schema as TypeBox makes it: schemas that know their kind, of which other types can be made. Of either package of TypeBox, whose builders agree in what is used here.
 */

/** What is used of TypeBox's `Type`. */
export interface Builder {
  Object(members: Record<string, unknown>, options: object): unknown;
  Record(key: unknown, value: unknown, options: object): unknown;
  Array(items: unknown, options: object): unknown;
  Union(variants: unknown[], options: object): unknown;
  Literal(value: unknown): unknown;
  Optional(schema: unknown): unknown;
  String(options?: object): unknown;
  Integer(options: object): unknown;
  Number(options: object): unknown;
  Boolean(options: object): unknown;
  Null(): unknown;
  Unknown(options: object): unknown;
}

interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  [option: string]: unknown;
}

/** A schema without references, as one of TypeBox's. */
export function typed(builder: Builder, schema: JsonSchema): unknown {
  const { type, enum: values, const: value, anyOf, oneOf, properties, required = [], items, $schema: _, ...options } = schema;
  const union = (variants: unknown[]): unknown => (variants.length === 1 ? variants[0] : builder.Union(variants, typeof options['description'] === 'string' ? { description: options['description'] } : {}));
  const literal = (one: unknown): unknown => (one === null ? builder.Null() : builder.Literal(one));
  if (value !== undefined) return literal(value);
  if (values !== undefined) return union(values.map(literal));
  const variants = anyOf ?? oneOf;
  if (variants !== undefined && type === undefined) return union(variants.map((one) => typed(builder, one)));
  if (Array.isArray(type)) return union(type.map((one) => typed(builder, { ...schema, type: one })));
  switch (type) {
    case 'object':
      if (properties === undefined && options['additionalProperties'] !== false) return builder.Record(builder.String(), builder.Unknown({}), options);
      return builder.Object(
        Object.fromEntries(
          Object.entries(properties ?? {}).map(([name, member]) => {
            const made = typed(builder, member);
            return [name, required.includes(name) ? made : builder.Optional(made)];
          }),
        ),
        options,
      );
    case 'array':
      return builder.Array(items === undefined ? builder.Unknown({}) : typed(builder, items), options);
    case 'string':
      return builder.String(options);
    case 'integer':
      return builder.Integer(options);
    case 'number':
      return builder.Number(options);
    case 'boolean':
      return builder.Boolean(options);
    case 'null':
      return builder.Null();
    case undefined:
      return builder.Unknown(options);
    default:
      throw new TypeError(`a schema of type ${type}`);
  }
}
