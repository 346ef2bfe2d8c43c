#!/usr/bin/env node
// Older envelopes, made as applications made them: by WebCrypto. Prints those of tests/conformance/scenarios/envelopes.json.
//
//     node tests/crypto/legacy.mjs

const iterations = 1000;
const bytes = (length, from) => Uint8Array.from({ length }, (_, i) => from + i);
const base64 = (data) => btoa(String.fromCharCode(...new Uint8Array(data)));

async function seal(keyVersion, password, text, salt, iv) {
  const { subtle } = globalThis.crypto;
  const encode = (value) => new TextEncoder().encode(value);
  const base = await subtle.importKey('raw', encode(password), 'PBKDF2', false, ['deriveKey']);
  const key = await subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const data = await subtle.encrypt({ name: 'AES-GCM', iv }, key, encode(text));
  return { keyVersion, salt: base64(salt), iv: base64(iv), data: base64(data) };
}

console.log(JSON.stringify({
  iterations,
  json: await seal(3, 'older password', '{"user":"brant","n":1}', bytes(16, 7), bytes(12, 90)),
  text: await seal(3, 'older password', 'grüße, no JSON', bytes(32, 40), bytes(12, 120)),
}, null, 2));
