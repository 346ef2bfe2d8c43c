/** Compiled JSON Schemas that judge documents without a database. */
import { guard } from './connection.js';
import { parse, snakeCase, stringify } from './json.js';
import { native, type RawValidator } from './native.js';
import type { Validation } from './types.js';

/** What a {@link Validator} is made of: a schema, or a type of a module. */
export type ValidatorSource =
  | { schema: object | boolean; /** Default "assert"; "annotate": `format` asserts nothing. */ formats?: 'assert' | 'annotate' }
  | { module: object; nodeType: string }
  | { module: object; edgeType: string };

/**
 * A compiled JSON Schema: draft 2020-12, or draft-07 where its `$schema` says so. Nothing is ever fetched.
 *
 * ```js
 * const person = new Validator({ schema: { type: 'object', required: ['name'] } });
 * person.accepts('{"name": "Ann"}');
 * person.report({ age: 7 }).violations;
 * new Validator({ module, nodeType: 'Task' });
 * ```
 *
 * At a schema with `"x-encrypted": true` an envelope is accepted, and of another value a violation shows nothing: neither it nor a name in it.
 */
export class Validator {
  readonly #validator: RawValidator;

  /** `VALIDATION`: the schema cannot work, the detail says where. `INVALID`: the module has no such type. */
  constructor(source: ValidatorSource) {
    this.#validator = guard(() => native.brant_validator_open(stringify(snakeCase(source))));
  }

  /** Does the schema accept this document? A string or a Uint8Array is JSON text, anything else a value. `INVALID_JSON`, `LIMIT`. */
  accepts(document: unknown): boolean {
    const text = typeof document === 'string' || document instanceof Uint8Array ? document : stringify(document);
    return guard(() => native.brant_validator_accepts(this.#validator, text));
  }

  /** All that is wrong with it, at most 100 violations. `INVALID_JSON`, `LIMIT`. */
  report(document: unknown): Validation {
    const text = typeof document === 'string' || document instanceof Uint8Array ? document : stringify(document);
    return parse(guard(() => native.brant_validator_report(this.#validator, text)), 'exact') as Validation;
  }
}
