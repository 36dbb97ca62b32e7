// Protobuf: the few fields that the format names. Unknown fields are passed over; a known one that may stand once, once.

/** Fields of a message by number; `once` and `many` are numbers of length-delimited fields, `numbers` of varints. */
function message(bytes, { once = [], many = [], numbers = [], never = [] }) {
  const out = Object.fromEntries(many.map((field) => [field, []]));
  let at = 0;
  const varint = () => {
    let value = 0, scale = 1;
    for (let count = 0; count < 10; count++) {
      if (at >= bytes.length) refuse("protobuf ends early");
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
    return refuse("a number without end");
  };
  while (at < bytes.length) {
    const tag = varint(), field = Math.floor(tag / 8), kind = tag % 8;
    if (field === 0) refuse("field 0");
    if (never.includes(field)) refuse("a field that may not be there");
    let value;
    if (kind === 0) value = varint();
    else if (kind === 2) {
      const length = varint();
      if (at + length > bytes.length) refuse("protobuf ends early");
      value = bytes.subarray(at, at + length);
      at += length;
    } else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else refuse("an obsolete kind of field");
    if (at > bytes.length) refuse("protobuf ends early");
    const wanted = numbers.includes(field) ? 0 : once.includes(field) || many.includes(field) ? 2 : null;
    if (wanted === null) continue;
    if (kind !== wanted) refuse("a field of another kind");
    if (many.includes(field)) out[field].push(value);
    else if (field in out) refuse("a field twice");
    else out[field] = value;
  }
  return out;
}

/** Bytes of a field; proto3 leaves empty ones out. */
const field = (parsed, number) => parsed[number] ?? new Uint8Array(0);

/** The canonical encoding of length-delimited fields, given as [number, bytes]; empty ones are left out. */
function encoded(...fields) {
  const parts = [];
  for (const [number, bytes] of fields) {
    if (bytes.length === 0) continue;
    const length = [];
    let rest = bytes.length;
    for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    parts.push(Uint8Array.of(number * 8 + 2, ...length, rest), bytes);
  }
  return concat(...parts);
}
