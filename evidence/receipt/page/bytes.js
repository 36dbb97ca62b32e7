// Bytes, texts and numbers, in the one form that the format allows.

/** Thrown for whatever is not in its prescribed form. */
class Malformed extends Error {}

function refuse(what) { throw new Malformed(what); }

const ascii = (text) => new TextEncoder().encode(text);

function utf8(bytes) {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch { return refuse("not UTF-8"); }
}

function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
}

function same(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Lower-case hexadecimal only. */
function unhex(text) {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) refuse("not lower-case hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** RFC 4648 §4 with padding and zero trailing bits. */
function unbase64(text) {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) refuse("not base64");
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) refuse("not canonical base64");
  return bytes;
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Big-endian. */
function u32(number) { return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number); }
function u64(number) { return concat(u32(Math.floor(number / 2 ** 32)), u32(number % 2 ** 32)); }

/** A length and the bytes. */
function sized(bytes) { return concat(u32(bytes.length), bytes); }

const toBig = (bytes) => (bytes.length === 0 ? 0n : BigInt("0x" + hex(bytes)));
const from256 = (number) => unhex(number.toString(16).padStart(64, "0"));
