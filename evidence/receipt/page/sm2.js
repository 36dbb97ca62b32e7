// SM2 signature verification (GB/T 32918.2-2016, curve of GB/T 32918.5-2017). Public data only: nothing here is secret.

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const CURVE_A = P - 3n;
const CURVE_B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const G = {
  x: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  y: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const SIGNER_ID = ascii("1234567812345678");

const mod = (number, by) => ((number % by) + by) % by;

/** x^e mod P. */
function power(x, e) {
  let out = 1n;
  for (let base = mod(x, P); e > 0n; e >>= 1n, base = (base * base) % P) if (e & 1n) out = (out * base) % P;
  return out;
}

// Jacobian coordinates [X, Y, Z]: x = X/Z², y = Y/Z³; Z = 0 is the point at infinity.
const INFINITY = [1n, 1n, 0n];

function double([x, y, z]) {
  if (z === 0n || y === 0n) return INFINITY;
  const zz = (z * z) % P, yy = (y * y) % P, s = (4n * x * yy) % P;
  const m = (3n * (x - zz) * (x + zz)) % P; // a = −3
  const x3 = mod(m * m - 2n * s, P);
  return [x3, mod(m * (s - x3) - 8n * yy * yy, P), (2n * y * z) % P];
}

function add(p, q) {
  if (p[2] === 0n) return q;
  if (q[2] === 0n) return p;
  const [x1, y1, z1] = p, [x2, y2, z2] = q;
  const z1z1 = (z1 * z1) % P, z2z2 = (z2 * z2) % P;
  const u1 = (x1 * z2z2) % P, u2 = (x2 * z1z1) % P;
  const s1 = (y1 * z2 * z2z2) % P, s2 = (y2 * z1 * z1z1) % P;
  if (u1 === u2) return s1 === s2 ? double(p) : INFINITY;
  const h = mod(u2 - u1, P), r = mod(s2 - s1, P), hh = (h * h) % P, hhh = (h * hh) % P, v = (u1 * hh) % P;
  const x3 = mod(r * r - hhh - 2n * v, P);
  return [x3, mod(r * (v - x3) - s1 * hhh, P), (((z1 * z2) % P) * h) % P];
}

/** The x of sG + tQ; null at infinity. */
function combine(s, t, q) {
  const points = [null, [G.x, G.y, 1n], [q.x, q.y, 1n]];
  points.push(add(points[1], points[2]));
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = double(sum);
    const which = Number((s >> bit) & 1n) + 2 * Number((t >> bit) & 1n);
    if (which > 0) sum = add(sum, points[which]);
  }
  if (sum[2] === 0n) return null;
  const inverse = power(sum[2], P - 2n);
  return (((sum[0] * inverse) % P) * inverse) % P;
}

/** A public key of 65 bytes: 04 ‖ x ‖ y, a point of the curve. */
function publicKey(bytes) {
  if (bytes.length !== 65 || bytes[0] !== 4) refuse("not an uncompressed SM2 key");
  const x = toBig(bytes.subarray(1, 33)), y = toBig(bytes.subarray(33));
  if (x >= P || y >= P || mod(y * y - (x * x * x + CURVE_A * x + CURVE_B), P) !== 0n) refuse("not a point of the curve");
  const z = sm3(Uint8Array.of(0, SIGNER_ID.length * 8), SIGNER_ID, from256(CURVE_A), from256(CURVE_B), from256(G.x), from256(G.y), bytes.subarray(1));
  return { x, y, z, bytes };
}

/** Strict minimal DER SEQUENCE { r, s }, both in [1, n − 1]. */
function signatureOf(der) {
  const list = der1(der, 0x30).children();
  if (list.length !== 2) refuse("a signature has two numbers");
  const [r, s] = list.map((part) => {
    const bytes = part.expect(0x02).content;
    if (bytes.length === 0 || bytes[0] > 127 || (bytes.length > 1 && bytes[0] === 0 && bytes[1] < 128)) refuse("not a minimal number");
    return toBig(bytes);
  });
  if (r < 1n || r >= N || s < 1n || s >= N) refuse("out of range");
  return { r, s };
}

/** Whether the signature is that of this key over the message. */
function sm2Verifies(key, message, der) {
  let signature;
  try { signature = signatureOf(der); } catch { return false; }
  const { r, s } = signature;
  const t = (r + s) % N;
  if (t === 0n) return false;
  const x = combine(s, t, key);
  return x !== null && (toBig(sm3(key.z, message)) + x) % N === r;
}
