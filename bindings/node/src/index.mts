/* The same module for `import`: one implementation, so that a class is the same whichever way it was reached. */
export { BrantError, Caller, composite, Database, defineModule, deriveKey, deriveKeyAsync, extensionPath, generateKey, Hub, identitySchemas, JobFailed, Key, modules, open, operations, rowSchemas, Token, Validator, version, view } from './index.js';
export type * from './index.js';
