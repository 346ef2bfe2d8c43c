/**
 * The codes of `BRANT_STATUS_LIST`, the same in every language.
 *
 * | code | what a caller can do |
 * |---|---|
 * | `INVALID` | an argument is not acceptable; change the call |
 * | `INVALID_JSON` | the text is not acceptable JSON; `detail.offset` is the byte |
 * | `VALIDATION` | the data does not satisfy its schema; `detail.violations` lists why |
 * | `NOT_FOUND`, `EXISTS` | the thing named does not exist, or does already |
 * | `CONFLICT` | the stored state is not the one that the call requires; read again, then decide |
 * | `CONSTRAINT` | the write would break a rule of the graph type or of the database |
 * | `BUSY`, `TIMEOUT` | another writer, or the deadline; try again |
 * | `INTERRUPTED`, `CLOSED` | somebody ended the call or the handle |
 * | `MISUSE` | not allowed in the handle's present state |
 * | `READ_ONLY`, `DENIED`, `LIMIT`, `FULL`, `IO` | see the message |
 * | `AUTH` | a secret does not open, whatever the reason |
 * | `NOT_BRANT`, `NEWER_FORMAT`, `FOREIGN_SQLITE`, `NETWORK_FS`, `CORRUPT` | the file cannot be used as it is |
 */
export type ErrorCode =
  | 'INVALID'
  | 'INVALID_JSON'
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'CONFLICT'
  | 'CONSTRAINT'
  | 'BUSY'
  | 'TIMEOUT'
  | 'INTERRUPTED'
  | 'CLOSED'
  | 'MISUSE'
  | 'READ_ONLY'
  | 'DENIED'
  | 'LIMIT'
  | 'NOT_BRANT'
  | 'NEWER_FORMAT'
  | 'FOREIGN_SQLITE'
  | 'NETWORK_FS'
  | 'CORRUPT'
  | 'FULL'
  | 'IO'
  | 'NO_MEMORY'
  | 'SQL'
  | 'STALE'
  | 'AUTH'
  | 'UNSUPPORTED'
  | 'FORKED'
  | 'INTERNAL';

/** One fault of a document, as a schema sees it. */
export interface Violation {
  /** JSON pointer into the document. */
  instance: string;
  /** JSON pointer into the schema. */
  schema: string;
  keyword: string;
  message: string;
}

/** What an error has to add; which members there are depends on the code. */
export interface ErrorDetail {
  /** `INVALID_JSON`: the byte at fault. */
  offset?: number;
  /** `VALIDATION`, `INVALID`: what is wrong with the document, at most 100. */
  violations?: Violation[];
  /** `putMany`: the items at fault, at most 100. */
  items?: { index: number; key?: string; code: ErrorCode; message: string; violations?: Violation[] }[];
  [member: string]: unknown;
}

/**
 * What every method of this package throws or rejects with. Decide by `code`; the message is for people and may change.
 *
 * ```js
 * try { graph.nodes.get('libc7'); } catch (error) { if (error.code !== 'NOT_FOUND') throw error; }
 * ```
 */
export class BrantError extends Error {
  /** The name of the status. */
  readonly code: ErrorCode;
  #detail: ErrorDetail | string;

  /** Errors come from the library; `detail` is an object or its JSON text. */
  constructor(code: ErrorCode, message: string, detail: ErrorDetail | string = {}) {
    super(message);
    this.code = code;
    this.#detail = detail;
  }

  /** Members that a program can use; `{}` when there is nothing to add. */
  get detail(): ErrorDetail {
    if (typeof this.#detail === 'string') this.#detail = JSON.parse(this.#detail) as ErrorDetail;
    return this.#detail;
  }
}
Object.defineProperty(BrantError.prototype, 'name', { value: 'BrantError', configurable: true, writable: true });

/** The error to throw for what the addon threw: a BrantError for one with a code of ours, any other as it is. @internal */
export function translate(error: unknown): unknown {
  if (error instanceof Error && 'status' in error && 'code' in error && 'detail' in error) {
    return new BrantError(error.code as ErrorCode, error.message, error.detail as string);
  }
  return error;
}
