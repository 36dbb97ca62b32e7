"""GmSSL (PyPI wheel gmssl-pyx) as a peer of smkit: answers one line for each request of a file.

python gmssl_peer.py FILE        (format: ../it/cases.rs)
"""

import sys

import gmssl_pyx as gm


def integer(number: bytes) -> bytes:
    digits = number.lstrip(b"\0") or b"\0"
    if digits[0] >= 0x80:
        digits = b"\0" + digits
    return bytes([2, len(digits)]) + digits


def to_der(rs: bytes) -> bytes:
    body = integer(rs[:32]) + integer(rs[32:])
    return bytes([0x30, len(body)]) + body


def from_der(der: bytes) -> bytes:
    r_len = der[3]
    r = der[4 : 4 + r_len]
    s = der[6 + r_len :]
    return b"".join(int.from_bytes(number, "big").to_bytes(32, "big") for number in (r, s))


def elements(body: bytes) -> list:
    """Contents of consecutive DER elements."""
    found = []
    while body:
        length, at = body[1], 2
        if length >= 0x80:
            at += length & 0x7F
            length = int.from_bytes(body[2:at], "big")
        found.append(body[at : at + length])
        body = body[at + length :]
    return found


def element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def cipher_to_der(raw: bytes) -> bytes:
    """04 ‖ x ‖ y ‖ C3 ‖ C2 as SM2Cipher."""
    x, y, c3, c2 = raw[1:33], raw[33:65], raw[65:97], raw[97:]
    return element(0x30, integer(x) + integer(y) + element(4, c3) + element(4, c2))


def cipher_from_der(der: bytes) -> bytes:
    x, y, c3, c2 = elements(elements(der)[0])
    x, y = (int.from_bytes(number, "big").to_bytes(32, "big") for number in (x, y))
    return b"\4" + x + y + c3 + c2


def show(value: bytes) -> str:
    return value.hex() or "-"


def answer(op: str, f: list) -> str:
    if op == "sm3":
        return show(gm.sm3_hash(f[0]))
    if op == "hmac":
        return show(gm.sm3_hmac(f[0], f[1]))
    if op == "sign":
        return show(from_der(gm.sm2_sign(f[0], f[1][1:], f[3], signer_id=f[2])))
    if op == "verify":
        try:
            return "1" if gm.sm2_verify(f[0][1:], f[2], to_der(f[3]), signer_id=f[1]) else "0"
        except gm.GmsslInnerError:
            return "0"
    if op == "gcm-seal":
        return show(b"".join(gm.sm4_gcm_encrypt(f[0], f[1], f[2], f[3])))
    if op == "gcm-open":
        try:
            return show(gm.sm4_gcm_decrypt(f[0], f[1], f[2], f[3][:-16], f[3][-16:]))
        except gm.GmsslInnerError:
            return "!"
    if op == "ctr":
        return show(gm.sm4_ctr_encrypt(f[0], f[1], f[2]))
    if op == "kdf":
        return show(gm.sm3_kdf(f[0], int.from_bytes(f[1], "big")))
    if op == "cbc-seal":
        return show(gm.sm4_cbc_padding_encrypt(f[0], f[1], f[2]))
    if op == "cbc-open":
        return show(gm.sm4_cbc_padding_decrypt(f[0], f[1], f[2]))
    if op == "encrypt":
        return show(cipher_from_der(gm.sm2_encrypt(f[0][1:], f[1])))
    if op == "encrypt-der":
        return show(gm.sm2_encrypt(f[0][1:], f[1]))
    if op in ("decrypt", "decrypt-der"):
        try:
            return show(gm.sm2_decrypt(f[0], cipher_to_der(f[2]) if op == "decrypt" else f[2]))
        except (gm.GmsslInnerError, gm.InvalidValueError):
            return "!"
    return "?"


with open(sys.argv[1], encoding="ascii") as requests:
    for line in requests:
        op, *words = line.split()
        print(answer(op, [b"" if word == "-" else bytes.fromhex(word) for word in words]))
