/* Keys, and the key ring of a handle: what attributes that a graph type encrypts are sealed and opened with. */
import { inspect } from 'node:util';
import { Connection, guard } from './connection.js';
import { calls, traced, tracedAsync } from './diagnostics.js';
import { BrantError, translate } from './error.js';
import { native } from './native.js';
import { SecretText, WRITE, withText } from './secret_text.js';

export type KeyPurpose = 'attribute' | 'pepper' | 'audit';
export type KeyState = 'active' | 'decrypt_only' | 'disabled' | 'destroyed';

/** How a key comes from a password, by Argon2id. */
export interface Kdf {
  alg: 'argon2id13';
  /** Salt: 16 bytes in base64url. */
  s: string;
  /** Passes. */
  t: number;
  /** Bytes of memory. */
  m: number;
}

/** A key of a ring. */
export interface KeyFields {
  /** Default `'attribute'`; a key of one purpose is not used for another. */
  purpose?: KeyPurpose | undefined;
  /** 1 to 2^53 - 1, each once in a purpose; it grows with each new key. */
  version: number;
  /**
   * `'active'` (default) seals, one of each purpose; `'decrypt_only'` opens; `'disabled'` and `'destroyed'` do neither, and a destroyed one has no
   * key.
   */
  state?: KeyState | undefined;
  /** What the purpose has anyway: `'xc20p-b2'` of attribute keys, `'b2'` of the others. */
  algorithm?: string | undefined;
  /** 32 bytes, or these in base64url. */
  key?: Uint8Array | string | undefined;
  /** Text of 1 to 1024 bytes, or its UTF-8. Its key is derived when it is first needed, which takes about a second. */
  password?: Uint8Array | string | undefined;
  /** How the password gives the key; without, the salt is random each time a ring is attached, which does for attributes. */
  kdf?: Kdf | undefined;
}

/** The entry of a ring, as JSON. */
export interface KeyEntry {
  purpose: KeyPurpose;
  version: number;
  state: KeyState;
  algorithm?: string;
  key?: string;
  password?: string;
  kdf?: Kdf;
}

/** A key ring. */
export interface KeyRingFields {
  keys: Iterable<Key | KeyFields>;
  /** What is sealed fills up to a multiple of this, which hides how long it is: 0 (default), or 2 to 4096. */
  padding?: number | undefined;
  /** Bounds for what envelopes and keys may ask for; default `least` t 2, m 19 MiB, `most` t 16, m 1 GiB. */
  kdf?: { least?: { t?: number; m?: number } | undefined; most?: { t?: number; m?: number } | undefined } | undefined;
  /** For envelopes of an older form, which are only read. `plaintext: 'text'`: what they hold is any text. */
  legacy?:
    | { iterations: number; plaintext?: 'json' | 'text' | undefined; keys: Iterable<{ version: number; password: Uint8Array | string }> }
    | undefined;
}

/** What a ring has of a key: all but the key. */
export interface KeyInfo {
  purpose: KeyPurpose;
  version: number;
  state: KeyState;
  algorithm: string;
  kdf: Kdf | null;
}

/** What a handle's key ring is made of. No ring: no keys. */
export interface KeyRingInfo {
  keys: KeyInfo[];
  padding: number;
  /** Older envelopes are opened. */
  legacy: boolean;
}

/**
 * A key for a ring: `new Key({version: 2, key: bytes})`, or what {@link generateKey} and {@link deriveKey} make. The members that can be set
 * are taken as they are when a ring is attached; the ring's rules are checked then.
 *
 * The key itself is shown by `reveal` alone: not by `util.inspect`, in a text or a copy; `JSON.stringify` throws, so that a key is not stored without its
 * key. It is kept in memory that `wipe` overwrites. What was given as a string stays in memory as long as JavaScript likes; bytes are the caller's to
 * overwrite.
 *
 * ```js
 * writeFileSync('ring.json', JSON.stringify({ keys: [generateKey().reveal()] }), { mode: 0o600 });
 * ```
 */
export class Key {
  purpose: KeyPurpose;
  version: number;
  state: KeyState;
  algorithm: string | undefined;
  kdf: Kdf | undefined;
  /** The key in base64url, or the password. */
  readonly #text = new SecretText();
  readonly #member: 'key' | 'password' | undefined;

  /** @throws BrantError `INVALID`: the key or the password is neither text nor bytes, or there are both. */
  constructor(fields: KeyFields) {
    const { purpose = 'attribute', version, state = 'active', algorithm, key, password, kdf } = fields;
    this.purpose = purpose;
    this.version = version;
    this.state = state;
    this.algorithm = algorithm;
    this.kdf = kdf;
    if (key !== undefined && password !== undefined) throw new BrantError('INVALID', 'a key has either "key" or "password"');
    this.#member = key !== undefined ? 'key' : password !== undefined ? 'password' : undefined;
    if (key instanceof Uint8Array) this.#text.addBase64url(key);
    else if (key !== undefined) addGiven(this.#text, key, 'key');
    else if (password !== undefined) addGiven(this.#text, password, 'password');
  }

  /** The entry of a ring with the key in plain, for the place where the application keeps its keys. @throws BrantError `MISUSE`: it was wiped. */
  reveal(): KeyEntry {
    const entry: KeyEntry = this.#plain();
    if (this.#member !== undefined) entry[this.#member] = Buffer.from(this.#text.bytes).toString();
    return entry;
  }

  /** Overwrite the key here; rings that have it keep it. */
  wipe(): void {
    this.#text.wipe();
  }

  [Symbol.dispose](): void {
    this.wipe();
  }

  #plain(): KeyEntry {
    if (this.#text.wiped) throw new BrantError('MISUSE', 'the key was wiped');
    const { purpose, version, state, algorithm, kdf } = this;
    return { purpose, version, state, ...(algorithm === undefined ? {} : { algorithm }), ...(kdf === undefined ? {} : { kdf }) };
  }

  /** @internal */
  [WRITE](out: SecretText): void {
    Object.entries(this.#plain()).forEach(([name, value], i) => {
      out.add(i === 0 ? '{' : ',').addQuoted(name).add(':').addValue(value);
    });
    if (this.#member !== undefined) out.add(',').addQuoted(this.#member).add(':').addString(this.#text.bytes);
    out.add('}');
  }

  toString(): string {
    return `[key ${this.purpose} ${this.version} ${this.state}]`;
  }

  toJSON(): never {
    throw new TypeError('a key has no JSON form; reveal() gives its entry of a ring');
  }

  /** @internal since its name is of Node.js's types, which a consumer need not have. */
  [inspect.custom](): string {
    return this.toString();
  }
}

function addGiven(out: SecretText, given: unknown, name: string): void {
  if (given instanceof Uint8Array) out.addBytes(given);
  else if (typeof given === 'string') out.add(given);
  else throw new BrantError('INVALID', `${name} is neither a string nor a Uint8Array`);
}

/** What the operations that make a key answer. */
function made(text: string): Key {
  return new Key(JSON.parse(text) as KeyEntry);
}

/**
 * A new key of 32 random bytes of the system, active.
 *
 * @param fields - `purpose`, default `'attribute'`, and `version`, default 1
 * @throws BrantError `INVALID`: of the fields; `IO`: there are no random bytes.
 */
export function generateKey(fields: { purpose?: KeyPurpose | undefined; version?: number | undefined } = {}): Key {
  const { purpose, version } = fields;
  const input = JSON.stringify({ purpose, version });
  const call = (): string => guard(() => native.brant_keyring_generate(null, input));
  return made(calls.hasSubscribers ? traced('keyring.generate', call) : call());
}

/** How {@link deriveKey} makes a key. */
export interface DeriveOptions {
  purpose?: KeyPurpose | undefined;
  version?: number | undefined;
  /** Default a random salt, 3 passes and 256 MiB. */
  kdf?: Partial<Kdf> | undefined;
}

/** The input of keyring.derive, in memory that the caller wipes. */
function derivation(text: SecretText, password: Uint8Array | string, options: DeriveOptions): Uint8Array {
  const { purpose, version, kdf } = options;
  if (typeof password !== 'string' && !(password instanceof Uint8Array)) {
    throw new BrantError('INVALID', 'the password is neither a string nor a Uint8Array');
  }
  return text.addValue({ password, purpose, version, kdf }).bytes;
}

/**
 * The key of a password, for a ring that is not to hold the password. Takes about a second, in which this thread stands still; {@link deriveKeyAsync}
 * takes it on another. Store the entry that `reveal` gives, or its `kdf`, with which the password gives the same key again.
 *
 * @param password - text of 1 to 1024 bytes, or its UTF-8
 * @throws BrantError `INVALID`: of the password or the options; `INVALID_JSON`: the password is no UTF-8; `LIMIT`: `kdf` is too weak or too costly
 *   (t 2 to 16, m 19 MiB to 1 GiB); `NO_MEMORY`.
 */
export function deriveKey(password: Uint8Array | string, options: DeriveOptions = {}): Key {
  return withText((text) => {
    const input = derivation(text, password, options);
    const call = (): string => guard(() => native.brant_keyring_derive(null, input));
    return made(calls.hasSubscribers ? traced('keyring.derive', call) : call());
  });
}

/** `deriveKey` on another thread. It cannot be broken off. The password is read before this returns. */
export async function deriveKeyAsync(password: Uint8Array | string, options: DeriveOptions = {}): Promise<Key> {
  const running = withText((text) => {
    const input = derivation(text, password, options);
    // The thread has a copy, wiped when it is done.
    return tracedAsync('keyring.derive', () => native.call_async(null, 'keyring.derive', input, 0));
  });
  try {
    return made(await running);
  } catch (error) {
    throw translate(error);
  }
}

/**
 * The key ring that `db.keyring` attached. It has no copy of the keys: these are in guarded memory of the library, and wiped when the ring is closed,
 * another one is attached, or the handle is closed.
 *
 * ```js
 * {
 *   using ring = db.keyring({ keys: [{ version: 1, key }] });
 *   console.log(graph.nodes.openSecret('db', 'attributes.value').reveal());
 * }
 * ```
 */
export class KeyRing {
  readonly #connection: Connection;
  readonly #generation: number;

  /** @internal */
  constructor(connection: Connection, generation: number) {
    this.#connection = connection;
    this.#generation = generation;
  }

  /** It is the handle's ring still: not closed, and not replaced by another. */
  get attached(): boolean {
    return this.#connection.ring === this.#generation;
  }

  /** Take the ring away, and overwrite it. Any number of times; nothing when it is not attached any more. An asynchronous call that runs keeps it to its end. */
  close(): void {
    if (this.attached) this.#connection.detachRing();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  toString(): string {
    return `[key ring${this.attached ? '' : ', closed'}]`;
  }

  toJSON(): never {
    throw new TypeError('a key ring has no JSON form');
  }

  /** @internal since its name is of Node.js's types, which a consumer need not have. */
  [inspect.custom](): string {
    return this.toString();
  }
}

/** Attach a ring to a handle. @internal */
export function attachRing(connection: Connection, ring: KeyRingFields | string | Uint8Array | Connection): KeyRing {
  if (ring instanceof Connection) {
    if (ring.isBare) throw new BrantError('NOT_FOUND', 'the other handle has no key ring');
    return new KeyRing(connection, connection.copyRing(ring));
  }
  const generation = withText((text) => {
    if (ring instanceof Uint8Array) return connection.attachRing(ring);
    return connection.attachRing((typeof ring === 'string' ? text.add(ring) : text.addValue(ring)).bytes);
  });
  return new KeyRing(connection, generation);
}
