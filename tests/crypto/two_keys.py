#!/usr/bin/env python3
"""A ciphertext that XChaCha20-Poly1305 accepts under two keys (Len, Grubbs, Ristenpart: Partitioning Oracle Attacks, USENIX Security 2021).

    tests/crypto/two_keys.py           prints the envelope that tests/core/test_crypto_commitment.c holds; takes some minutes

Poly1305 is a polynomial over a prime field in a value that the key gives. With two keys, one block of the ciphertext can be solved for so that both
give the same tag. Under the first key the text is a JSON string: the block that was solved for must come out as printable characters, which one in eleven
millions does, so that another block counts until it does. Under the second key it is arbitrary bytes, which the bare primitive gives out as authentic.
The commitment of the envelope is the first key's.
"""

import itertools
import json
import sys

from reference import P, base64url, envelope, key_stream, keys_of, pad16, place_of, poly1305

KEYS = b"A" * 32, b"B" * 32
NONCE = bytes(range(24))
CONTEXT = {"tenant_id": "t", "graph_id": "g", "kind": "node", "key": "k", "path": "/value"}
COUNTED, SOLVED = 1, 2  # blocks of the text
TEXT = b'"opens under one' + b"0" * 16 + b"?" * 16 + b' key of the two"'
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEF"
FINE = frozenset(range(0x20, 0x7F)) - set(b'"\\')


def main():
    place = place_of(CONTEXT)
    sides = []
    for ring_key in KEYS:
        key, commitment = keys_of(ring_key, 1, None, CONTEXT, NONCE)
        one_time, stream = key_stream(key, NONCE, len(TEXT))
        r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
        sides.append((r, int.from_bytes(one_time[16:], "little"), commitment, stream, one_time))
    (r1, s1, commitment, stream, one_time1), (r2, s2, _, _, one_time2) = sides
    cipher = bytearray(a ^ b for a, b in zip(TEXT, stream))
    exponent = {block: len(TEXT) // 16 - block + 1 for block in (COUNTED, SOLVED)}

    def rest(r):
        """What all but the counted and the solved block add."""
        message = pad16(place) + bytes(cipher) + len(place).to_bytes(8, "little") + len(cipher).to_bytes(8, "little")
        blocks = [message[at : at + 16] for at in range(0, len(message), 16)]
        skip = len(pad16(place)) // 16
        total = 0
        for at, block in enumerate(blocks):
            if at not in (skip + COUNTED, skip + SOLVED):
                total += int.from_bytes(block + b"\1", "little") * pow(r, len(blocks) - at, P)
        return total % P

    a1, a2 = rest(r1), rest(r2)
    inverse = pow(pow(r1, exponent[SOLVED], P) - pow(r2, exponent[SOLVED], P), -1, P)
    counted = (pow(r2, exponent[COUNTED], P) - pow(r1, exponent[COUNTED], P)) * inverse % P
    low, high = 1 << 128, 1 << 129
    stream_counted = stream[16 * COUNTED : 16 * COUNTED + 16]
    stream_solved = int.from_bytes(stream[16 * SOLVED : 16 * SOLVED + 16], "little")
    bits = 0x80808080808080808080808080808080
    starts = [(s2 - s1 + (k << 128) + a2 - a1) * inverse % P for k in range(-3, 4)]
    for tries, letters in enumerate(itertools.product(LETTERS, repeat=7)):
        block = bytes(letters) + b" key of the "[:9]
        value = int.from_bytes(bytes(a ^ b for a, b in zip(block, stream_counted)) + b"\1", "little")
        offset = value * counted
        for start in starts:
            x = (start + offset) % P
            if not low <= x < high:
                continue
            plain = (x - low) ^ stream_solved
            if plain & bits or not FINE.issuperset(plain.to_bytes(16, "little")):
                continue
            cipher[16 * COUNTED : 16 * COUNTED + 16] = (value - low).to_bytes(16, "little")
            cipher[16 * SOLVED : 16 * SOLVED + 16] = (x - low).to_bytes(16, "little")
            message = pad16(place) + bytes(cipher) + len(place).to_bytes(8, "little") + len(cipher).to_bytes(8, "little")
            tag = poly1305(one_time1, message)
            if tag != poly1305(one_time2, message):
                continue  # the sums wrapped differently
            text = bytes(a ^ b for a, b in zip(cipher, stream))
            print(f"{tries} tries, under the first key: {text.decode()}", file=sys.stderr)
            print(json.dumps(envelope(1, NONCE, commitment, bytes(cipher) + tag)))
            return


if __name__ == "__main__":
    main()
