/* The same module for `import`: one implementation, so that a class is the same whichever way it was reached. */
export { BrantError, composite, Database, defineModule, deriveKey, deriveKeyAsync, extensionPath, generateKey, identitySchemas, JobFailed, Key, modules, open, operations, Token, Validator, version } from './index.js';
export type * from './index.js';
