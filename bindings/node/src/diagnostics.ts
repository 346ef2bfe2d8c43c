/*
 * The diagnostics channel `brant:call`: one message for each operation, when somebody has subscribed; until then each call asks
 * that and no more.
 */
import { channel } from 'node:diagnostics_channel';
import { BrantError } from './error.js';
import { type Operation, native } from './native.js';

/** A message of `diagnostics_channel`'s channel `brant:call`. */
export interface CallMessage {
  /** The operation's registry name, `nodes.put`. */
  name: string;
  /** Milliseconds that it ran, without what it waited for other asynchronous calls. */
  duration: number;
  /** It ran on another thread. */
  async: boolean;
  /** The code of what it threw, or the error that was no BrantError. */
  error?: unknown;
}

/** @internal */
export const calls = channel('brant:call');

/** Run `call`, and say so to those who have subscribed. Asked for only where somebody has. */
export function traced<T>(operation: Operation | string, call: () => T): T {
  const began = performance.now();
  let failure: { error?: unknown } = {};
  try {
    return call();
  } catch (error) {
    failure = { error: said(error) };
    throw error;
  } finally {
    publish(typeof operation === 'string' ? operation : nameOf(operation), began, false, failure);
  }
}

/** As `traced`, for what runs on another thread. */
export async function tracedAsync<T>(name: string, call: () => Promise<T>): Promise<T> {
  if (!calls.hasSubscribers) return call();
  const began = performance.now();
  let failure: { error?: unknown } = {};
  try {
    return await call();
  } catch (error) {
    failure = { error: said(error) };
    throw error;
  } finally {
    publish(name, began, true, failure);
  }
}

function publish(name: string, began: number, async: boolean, failure: { error?: unknown }): void {
  const message: CallMessage = { name, duration: performance.now() - began, async, ...failure };
  calls.publish(message);
}

function said(error: unknown): unknown {
  return error instanceof BrantError ? error.code : error;
}

let names: Map<unknown, string> | undefined;

/** The registry name of a function. */
function nameOf(operation: Operation): string {
  if (names === undefined) {
    names = new Map();
    const { items } = JSON.parse(native.brant_operation_list(null, '{}')) as { items: { name: string }[] };
    const functions = native as unknown as Record<string, unknown>;
    for (const { name } of items) names.set(functions[functionName(name)], name);
  }
  return names.get(operation) ?? operation.name;
}

/** `graph_types.get` is brant_graph_type_get, `indexes.list` brant_index_list, `access.check` brant_access_check. */
function functionName(name: string): string {
  const [namespace = '', verb = ''] = name.split('.');
  return `brant_${namespace.replace(/(index)es$|(?<!s)s$/, '$1')}_${verb}`;
}
