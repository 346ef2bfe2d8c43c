/* Validators: schemas judged without a database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from 'brant';

const PERSON = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1 }, age: { type: 'integer', minimum: 0 }, mail: { format: 'email' } },
  required: ['name'],
  additionalProperties: false,
};

test('texts, bytes and values', () => {
  const person = new Validator({ schema: PERSON });
  assert.equal(person.accepts('{"name": "Ann"}'), true);
  assert.equal(person.accepts(Buffer.from('{"name": "Ann"}')), true);
  assert.equal(person.accepts({ name: 'Ann', age: 7n }), true);
  assert.equal(person.accepts([]), false);
  const report = person.report({ name: '', age: -1 });
  assert.equal(report.valid, false);
  assert.deepEqual(report.violations.map((violation) => violation.instance), ['/name', '/age']);
  assert.deepEqual(person.report('{"name": "Ann"}'), { valid: true, violations: [] });
  assert.equal(new Validator({ schema: false }).accepts(1), false);
});

test('formats, and types of modules', () => {
  const document = { name: 'Ann', mail: 'no address' };
  assert.equal(new Validator({ schema: PERSON }).accepts(document), false);
  assert.equal(new Validator({ schema: PERSON, formats: 'annotate' }).accepts(document), true);
  const module = { $id: 'people', $defs: { PersonNode: PERSON, KnowsEdge: { properties: { since: { type: 'integer' } } } } };
  assert.equal(new Validator({ module, nodeType: 'Person' }).accepts({ name: 'Ann' }), true);
  assert.equal(new Validator({ module, edgeType: 'Knows' }).accepts({ since: 'then' }), false);
});

test('faults', () => {
  const person = new Validator({ schema: PERSON });
  assert.throws(() => person.accepts('{"name": '), { code: 'INVALID_JSON' });
  assert.throws(() => person.report('{"name": 1, "name": 2}'), { code: 'INVALID_JSON' });
  assert.throws(() => person.accepts('['.repeat(600) + ']'.repeat(600)), { code: 'LIMIT' });
  assert.throws(() => new Validator({ schema: { type: 'strin' } }), (error) => error.code === 'VALIDATION' && error.detail.violations[0].instance === '/type');
  assert.throws(() => new Validator({}), { code: 'INVALID' });
  assert.throws(() => new Validator({ module: { $id: 'm', $defs: { ANode: {} } }, nodeType: 'B' }), { code: 'INVALID' });
  assert.throws(() => Validator.prototype.accepts.call({}, '1'), TypeError);
});
