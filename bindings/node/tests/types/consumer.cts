/* The same types for `require`. */
import brant = require('brant');

const db: brant.Database = brant.open(':memory:');
const error: brant.BrantError = new brant.BrantError('INVALID', 'text');
db.close();
console.log(error.code);
