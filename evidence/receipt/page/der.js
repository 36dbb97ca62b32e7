// DER (ITU-T X.690 §10): one form for each value.

/** One element of DER: `tag`, `content`, `whole`. */
class Der {
  constructor(bytes, at) {
    const read = (offset) => (at + offset < bytes.length ? bytes[at + offset] : refuse("DER ends early"));
    this.tag = read(0);
    if ((this.tag & 0x1f) === 0x1f) refuse("a long tag");
    let length = read(1), head = 2;
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count < 1 || count > 3) refuse("a length that is indefinite or too long");
      length = 0;
      for (let n = 0; n < count; n++) length = length * 256 + read(2 + n);
      if (length < 0x80 || length < 256 ** (count - 1)) refuse("a length that is not minimal");
      head += count;
    }
    if (at + head + length > bytes.length) refuse("DER ends early");
    this.content = bytes.subarray(at + head, at + head + length);
    this.whole = bytes.subarray(at, at + head + length);
  }

  expect(tag) { return this.tag === tag ? this : refuse("another DER element"); }

  children() {
    const list = [];
    for (let at = 0; at < this.content.length; at += list[list.length - 1].whole.length) list.push(new Der(this.content, at));
    return list;
  }
}

/** The only element in `bytes`. */
function der1(bytes, tag) {
  const element = new Der(bytes, 0).expect(tag);
  return element.whole.length === bytes.length ? element : refuse("something after the DER element");
}
