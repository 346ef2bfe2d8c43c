// The public methods of the Node.js package: JSON of {name, signature, doc, references, natives} for signatures.py.
//
//   node docs/site/signatures.mjs bindings/node
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2]);
const ts = createRequire(join(folder, 'package.json'))('typescript');
const units = [];

function doc(node, source) {
  return ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map((comment) => comment.getText(source).replace(/^\/\*\*|\*\/$/g, '').replace(/^[ \t]*\* ?/gm, '').trim())
    .join('\n');
}

function unit(node, source, owner, made) {
  const name = made ?? node.name.getText(source);
  const isPublic = !made && !name.startsWith('#') && !name.startsWith('_') && !/@internal/.test(doc(node, source));
  const exported = owner !== '' || (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;
  const references = new Set();
  const natives = new Set();
  const visit = (child) => {
    if (ts.isPropertyAccessExpression(child)) {
      if (/^native$/.test(child.expression.getText(source)) && child.name.text.startsWith('brant_')) natives.add(child.name.text);
      references.add(child.name.text);
    } else if (ts.isIdentifier(child)) references.add(child.text);
    else if (ts.isStringLiteral(child) && /^[a-z_]+\.[a-z_]+$/.test(child.text)) natives.add(child.text);
    ts.forEachChild(child, visit);
  };
  if (node.body) visit(node.body);
  const end = node.body ? node.body.getStart(source) : node.getEnd();
  units.push({
    name: owner ? `${owner}.${name}` : name,
    public: isPublic && exported,
    signature: source.text.slice(node.getStart(source), end).trim(),
    doc: doc(node, source),
    references: [...references],
    natives: [...natives],
  });
}

for (const file of readdirSync(join(folder, 'src')).sort()) {
  if (!file.endsWith('.ts') || file === 'native.ts') continue;
  const path = join(folder, 'src', file);
  const source = ts.createSourceFile(path, ts.sys.readFile(path), ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    if (ts.isFunctionDeclaration(node)) unit(node, source, '');
    else if (ts.isClassDeclaration(node)) {
      const open = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;
      for (const member of node.members)
        if (ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) unit(member, source, open ? node.name.text : '');
        else if (ts.isConstructorDeclaration(member)) unit(member, source, '', node.name.text); // who makes one reaches what it does
    }
    ts.forEachChild(node, (child) => (ts.isClassDeclaration(node) ? undefined : visit(child)));
  };
  visit(source);
}
process.stdout.write(JSON.stringify(units));
