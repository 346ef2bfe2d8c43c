/* Payloads: any JSON, or bytes, which cross the border as base64 in a member of their own. */

import { BrantError } from './error.js';

/** A member of this name holds bytes as base64 in place of `payload`. */
const BYTES = 'payload_base64';

/** The members of an input that say this payload; an absent one is null. */
export function packed(payload: unknown): { payload?: unknown } | { payload_base64: string } {
  // JSON would have nothing in its place, and the other end null.
  if (typeof payload === 'function' || typeof payload === 'symbol') throw new BrantError('INVALID', `a ${typeof payload} is no payload: it has no JSON form`);
  if (!(payload instanceof Uint8Array)) return payload === undefined ? {} : { payload };
  return { payload_base64: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64') };
}

/** What the library answered, with bytes as a Uint8Array in `payload`. Changes it. */
export function unpacked<T>(answer: object): T {
  const item = answer as { payload?: unknown; payload_base64?: string };
  if (item.payload_base64 !== undefined) {
    item.payload = new Uint8Array(Buffer.from(item.payload_base64, 'base64'));
    delete item.payload_base64;
  }
  return answer as T;
}

/** `unpacked` for many, which as a rule have no bytes. */
export function allUnpacked<T>(answers: object[]): T[] {
  for (const answer of answers) if (BYTES in answer) unpacked(answer);
  return answers as T[];
}

/** A moment as the library has it: milliseconds since the epoch. */
export type Moment = number | Date;

export function moment(at: Moment): number {
  return at instanceof Date ? at.getTime() : at;
}
