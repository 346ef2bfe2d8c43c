/*
 * JSON text with keys in it, made in memory that can be overwritten. A string of JavaScript cannot be: so key bytes are spelled byte by byte into
 * a buffer of our own, which is wiped when the text was handed over. What is wrong with a value is said without the value.
 */
import { BrantError } from './error.js';

const BASE64URL = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const HEX = '0123456789abcdef';
/** Levels of a value; a key ring has four. */
const DEPTH = 32;

/** UTF-8 text that can be wiped. @internal */
export class SecretText {
  /** Of a size that lies outside of JavaScript's heap, where the collector would leave copies behind. */
  #bytes = Buffer.alloc(256);
  #length = 0;
  #wiped = false;

  /** It was wiped, and holds nothing any more. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /** The text: borrowed, until something is added or it is wiped. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Overwrite all of it. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
    this.#wiped = true;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + size));
    this.#bytes.copy(larger);
    this.#bytes.fill(0);
    this.#bytes = larger;
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  /** A text as it is. @throws BrantError `INVALID_JSON`: half of a surrogate pair, which UTF-8 cannot have. */
  add(text: string): this {
    if (/\p{Surrogate}/u.test(text)) throw new BrantError('INVALID_JSON', 'a text has a lone surrogate');
    this.#room(Buffer.byteLength(text));
    this.#length += this.#bytes.write(text, this.#length);
    return this;
  }

  /** Bytes as they are. */
  addBytes(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Bytes in base64url, without padding. */
  addBase64url(bytes: Uint8Array): this {
    this.#room(Math.ceil((bytes.length * 4) / 3));
    for (let at = 0; at < bytes.length; at += 3) {
      const three = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      const digits = Math.min(4, Math.ceil(((bytes.length - at) * 4) / 3));
      for (let digit = 0; digit < digits; digit++) this.#byte(BASE64URL[(three >> (18 - 6 * digit)) & 63] as number);
    }
    return this;
  }

  /** UTF-8 as a JSON string. */
  addString(bytes: Uint8Array): this {
    this.#byte(0x22);
    for (const byte of bytes) {
      if (byte < 0x20) {
        this.add(`\\u00${HEX[byte >> 4]}${HEX[byte & 15]}`);
        continue;
      }
      if (byte === 0x22 || byte === 0x5c) this.#byte(0x5c);
      this.#byte(byte);
    }
    this.#byte(0x22);
    return this;
  }

  /** A text as a JSON string. */
  addQuoted(text: string): this {
    const plain = new SecretText();
    try {
      return this.addString(plain.add(text).bytes);
    } finally {
      plain.wipe();
    }
  }

  /**
   * A value as JSON, as JSON.stringify has it, but: bytes are base64url, those of a `password` the text that they are, an iterable is an array, a bigint an integer, and what knows how to write itself does.
   *
   * @throws BrantError `INVALID`: a value that has no JSON form; `LIMIT`: deeper than a key ring can be.
   */
  addValue(value: unknown, depth = 0): this {
    if (depth > DEPTH) throw new BrantError('LIMIT', 'a value is nested too deeply for a key ring');
    if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return this.add(String(value));
    if (typeof value === 'string') return this.addQuoted(value);
    if (typeof value === 'number' && Number.isFinite(value)) return this.add(String(value));
    if (typeof value !== 'object') throw new BrantError('INVALID', `a value that is ${article(value)} has no JSON form`);
    if (value instanceof Uint8Array) {
      this.#byte(0x22);
      this.addBase64url(value).#byte(0x22);
      return this;
    }
    if (writes(value)) {
      value[WRITE](this);
      return this;
    }
    return Symbol.iterator in value ? this.#array(value as Iterable<unknown>, depth) : this.#object(value, depth);
  }

  #array(items: Iterable<unknown>, depth: number): this {
    let count = 0;
    this.#byte(0x5b);
    for (const item of items) {
      if (count++ > 0) this.#byte(0x2c);
      this.addValue(item, depth + 1);
    }
    this.#byte(0x5d);
    return this;
  }

  #object(members: object, depth: number): this {
    let count = 0;
    this.#byte(0x7b);
    for (const [name, value] of Object.entries(members)) {
      if (value === undefined) continue;
      if (count++ > 0) this.#byte(0x2c);
      this.addQuoted(name).#byte(0x3a);
      if (name === 'password' && value instanceof Uint8Array) this.addString(value);
      else this.addValue(value, depth + 1);
    }
    this.#byte(0x7d);
    return this;
  }
}

/** The method by which an object writes itself into such a text. @internal */
export const WRITE = Symbol('write');

function writes(value: object): value is { [WRITE](out: SecretText): void } {
  return WRITE in value;
}

/** Which kind of value, and nothing of it. */
function article(value: unknown): string {
  if (value === undefined) return 'undefined';
  return typeof value === 'number' ? 'no finite number' : `a ${typeof value}`;
}

/** Run `work` with a text that is wiped at its end. @internal */
export function withText<T>(work: (text: SecretText) => T): T {
  const text = new SecretText();
  try {
    return work(text);
  } finally {
    text.wipe();
  }
}
