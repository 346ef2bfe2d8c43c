#!/usr/bin/env python3
"""Envelopes of version 2 once more, from the comment of core/include/brant/crypto.h alone and without libsodium.

    tests/crypto/reference.py          prints the fixed envelopes of tests/conformance/scenarios/envelopes.json

Python's standard library but for Argon2 (argon2-cffi), which only those envelopes ask for that come from a password.
"""

import base64
import hashlib
import json
import struct

MASK = 0xFFFFFFFF
P = (1 << 130) - 5


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- XChaCha20-Poly1305 (RFC 8439, draft-irtf-cfrg-xchacha) ------------------------------------------------------------


def quarter(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & MASK
        s[z] ^= s[x]
        s[z] = (s[z] << n | s[z] >> (32 - n)) & MASK


def rounds(state):
    s = list(state)
    for _ in range(10):
        for column in range(4):
            quarter(s, column, 4 + column, 8 + column, 12 + column)
        for diagonal in range(4):
            quarter(s, diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return s


def initial(key, tail):
    return [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), *struct.unpack("<4I", tail)]


def hchacha20(key, nonce):
    s = rounds(initial(key, nonce))
    return struct.pack("<8I", *s[:4], *s[12:])


def key_stream(key, nonce, length):
    """From block 0, whose first half is the key of Poly1305."""
    subkey = hchacha20(key, nonce[:16])
    stream = b""
    for counter in range((length + 63) // 64 + 1):
        state = initial(subkey, struct.pack("<2I", counter, 0) + nonce[16:])
        stream += struct.pack("<16I", *((a + b) & MASK for a, b in zip(rounds(state), state)))
    return stream[:32], stream[64 : 64 + length]


def pad16(data):
    return data + bytes(-len(data) % 16)


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    h = 0
    for at in range(0, len(message), 16):
        h = (h + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % P
    return ((h + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def authenticated(place, ciphertext):
    return pad16(place) + pad16(ciphertext) + struct.pack("<QQ", len(place), len(ciphertext))


def aead_seal(key, nonce, place, text):
    one_time, stream = key_stream(key, nonce, len(text))
    ciphertext = bytes(a ^ b for a, b in zip(text, stream))
    return ciphertext + poly1305(one_time, authenticated(place, ciphertext))


# ---- envelopes ----------------------------------------------------------------------------------------------------------


def number(n):
    return struct.pack("<Q", n)


def field(data):
    return number(len(data)) + data


def place_of(context):
    return b"".join(field(context[name].encode()) for name in ("tenant_id", "graph_id", "kind", "key", "path"))


def derive(password, kdf):
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(password.encode(), kdf["salt"], kdf["t"], kdf["m"] // 1024, 1, 32, Type.ID, version=19)


def keys_of(ring_key, version, kdf, context, nonce):
    packed = b""
    if kdf:
        packed = field(b"argon2id13") + field(kdf["salt"]) + field(number(kdf["t"])) + field(number(kdf["m"]))
    message = b"".join(
        field(part) for part in (b"brant envelope 2", b"xc20p-b2", number(version), packed, place_of(context), nonce)
    )
    both = hashlib.blake2b(message, key=ring_key, digest_size=64).digest()
    return both[:32], both[32:]


def envelope(version, nonce, commitment, ciphertext, kdf=None):
    result = {"$enc": 2, "alg": "xc20p-b2", "kv": version, "n": base64url(nonce), "c": base64url(commitment), "ct": base64url(ciphertext)}
    if kdf:
        result["kdf"] = {"alg": "argon2id13", "s": base64url(kdf["salt"]), "t": kdf["t"], "m": kdf["m"]}
    return result


def seal(ring_key, version, context, text, nonce, kdf=None, padding=0):
    data = text.encode()
    if padding:
        data += b" " * (-len(data) % padding)
    key, commitment = keys_of(ring_key, version, kdf, context, nonce)
    return envelope(version, nonce, commitment, aead_seal(key, nonce, place_of(context), data), kdf)


CONTEXT = {"tenant_id": "tenant", "graph_id": "01890000-0000-7000-8000-000000000001", "kind": "node", "key": "db/password", "path": "/value"}


def main():
    raw = bytes(range(1, 33))
    kdf = {"salt": bytes(range(16)), "t": 2, "m": 19922944}
    out = {
        "context": CONTEXT,
        "raw_key": base64url(raw),
        "raw": seal(raw, 1, CONTEXT, '{"user":"brant","password":"p\u00e4ss \U0001f511","ports":[1,2.5,null,true]}', bytes(range(24))),
        "padded": seal(raw, 1, CONTEXT, '"short"', bytes(range(24, 48)), padding=64),
        "edge": seal(raw, 1, {**CONTEXT, "kind": "edge", "key": "a~b", "path": "/db/pass~1word"}, "7", bytes(range(48, 72))),
        "no_json": seal(raw, 1, CONTEXT, "no JSON", bytes(range(72, 96))),
    }
    key = derive("correct horse", kdf)
    out["derived_key"] = base64url(key)
    out["password"] = seal(key, 2, CONTEXT, '"from a password"', bytes(range(96, 120)), kdf)
    for name, change in (("weak", {"m": 19922943}), ("costly", {"t": 17})):
        other = {**kdf, **change}
        out[name] = seal(bytes(32), 2, CONTEXT, '"never derived"', bytes(range(120, 144)), other)
    print(json.dumps(out, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
