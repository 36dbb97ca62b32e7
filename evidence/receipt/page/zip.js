// The container: one canonical ZIP. It is read in one pass, and its directory compared with the only right one.

const DOCUMENTS = [
  ["record.json", 65536], ["receipt.json", 4194304], ["disclosures.json", 262144], ["batch.json", 65536],
  ["checkpoint.json", 1048576], ["process.json", 4194304], ["certificate.pdf", 16777216], ["certificate.ofd", 16777216],
  ["verify.html", 1048576],
];
const EXTENSIONS = {
  "application/gzip": "gz", "application/json": "json", "application/msword": "doc", "application/ofd": "ofd", "application/pdf": "pdf",
  "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt", "application/xml": "xml", "application/zip": "zip",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "audio/mp4": "m4a", "audio/mpeg": "mp3", "audio/wav": "wav", "image/bmp": "bmp", "image/gif": "gif", "image/jpeg": "jpg",
  "image/png": "png", "image/tiff": "tif", "image/webp": "webp", "message/rfc822": "eml", "text/csv": "csv", "text/html": "html",
  "text/plain": "txt", "video/mp4": "mp4", "video/quicktime": "mov", "video/x-msvideo": "avi",
};
const BIG = 0xffffffff;
const CHUNK_BYTES = 1 << 20;

/** Why a container was refused: the code of the reason, and a fact. */
class Refused extends Error {
  constructor(code, fact) { super(code); this.code = code; this.fact = String(fact); }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(crc, bytes) {
  for (let at = 0; at < bytes.length; at++) crc = CRC_TABLE[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return crc;
}

// Little-endian, as ZIP has it.
const le16 = (number) => Uint8Array.of(number, number >>> 8);
const le32 = (number) => Uint8Array.of(number, number >>> 8, number >>> 16, number >>> 24);
const le64 = (number) => concat(le32(number % 2 ** 32), le32(Math.floor(number / 2 ** 32)));
const read16 = (bytes, at) => bytes[at] | (bytes[at + 1] << 8);
const read32 = (bytes, at) => (read16(bytes, at) | (read16(bytes, at + 2) << 16)) >>> 0;
const read64 = (bytes, at) => read32(bytes, at) + read32(bytes, at + 4) * 2 ** 32;

/** Where a name stands in the order of a bundle; −1 for a name that does not belong there. */
function rank(name) {
  const place = DOCUMENTS.findIndex(([known]) => known === name);
  if (place >= 0) return place;
  const found = /^originals\/(\d\d)\.([a-z0-9]+)$/.exec(name);
  const extensions = [...Object.values(EXTENSIONS), "bin"];
  const position = found ? Number(found[1]) : 0;
  return position >= 1 && position <= 64 && extensions.includes(found[2]) ? DOCUMENTS.length + position : -1;
}

/** The extension of an original of this media type. */
function extension(mediaType) {
  return EXTENSIONS[mediaType.split(";")[0].trim().toLowerCase()] ?? "bin";
}

function localHeader({ name, size, crc }) {
  const z = size >= BIG, shown = z ? BIG : size;
  const extra = z ? concat(le16(1), le16(16), le64(size), le64(size)) : new Uint8Array(0);
  return concat(le32(0x04034b50), le16(z ? 45 : 10), le16(0), le16(0), le16(0), le16(0x0021), le32(crc), le32(shown), le32(shown),
    le16(name.length), le16(extra.length), ascii(name), extra);
}

function directory(entries, begin) {
  const parts = entries.map(({ name, size, crc, offset }) => {
    const z = size >= BIG, o = offset >= BIG, version = z || o ? 45 : 10;
    const fields = concat(z ? concat(le64(size), le64(size)) : new Uint8Array(0), o ? le64(offset) : new Uint8Array(0));
    const extra = fields.length > 0 ? concat(le16(1), le16(fields.length), fields) : fields;
    return concat(le32(0x02014b50), le16(version), le16(version), le16(0), le16(0), le16(0), le16(0x0021), le32(crc), le32(z ? BIG : size),
      le32(z ? BIG : size), le16(name.length), le16(extra.length), le16(0), le16(0), le16(0), le32(0), le32(o ? BIG : offset), ascii(name), extra);
  });
  const size = parts.reduce((sum, part) => sum + part.length, 0), count = entries.length;
  if (begin >= BIG) {
    parts.push(concat(le32(0x06064b50), le64(44), le16(45), le16(45), le32(0), le32(0), le64(count), le64(count), le64(size), le64(begin)));
    parts.push(concat(le32(0x07064b50), le32(0), le64(begin + size), le32(1)));
  }
  parts.push(concat(le32(0x06054b50), le16(0), le16(0), le16(count), le16(count), le32(size), le32(Math.min(begin, BIG)), le16(0)));
  return concat(...parts);
}

/** A file in the browser, or bytes, as something that is read piece by piece. */
function sourceOf(input) {
  if (input instanceof Uint8Array) return { size: input.length, read: async (from, to) => input.subarray(from, Math.min(to, input.length)) };
  return { size: input.size, read: async (from, to) => new Uint8Array(await input.slice(from, to).arrayBuffer()) };
}

/** SM3 and size of a file, streaming. */
async function hashed(input, progress) {
  const source = sourceOf(input), hash = new Sm3();
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    hash.update(await source.read(at, at + CHUNK_BYTES));
    progress?.(at / source.size);
  }
  return { size: source.size, sm3: hex(hash.digest()) };
}

/** Documents as bytes, originals as name, size and SM3. Throws `Refused`. */
async function readBundle(input, progress) {
  const source = sourceOf(input), entries = [], documents = {}, originals = [];
  let at = 0, last = -1;
  const take = async (count) => {
    const bytes = await source.read(at, at + count);
    if (bytes.length < count) throw new Refused("VF-1001", source.size);
    return bytes;
  };
  for (;;) {
    const begin = at;
    const mark = await take(4);
    if (read32(mark, 0) !== 0x04034b50) break;
    const fixed = await take(30), nameLength = read16(fixed, 26), extraLength = read16(fixed, 28);
    if (nameLength > 64 || (extraLength !== 0 && extraLength !== 20)) throw new Refused("VF-1002", begin);
    const head = await take(30 + nameLength + extraLength);
    const nameBytes = head.subarray(30, 30 + nameLength);
    if (nameBytes.some((byte) => byte < 32 || byte > 126)) throw new Refused("VF-1002", begin);
    const name = utf8(nameBytes);
    const size = extraLength === 20 ? read64(head, 30 + nameLength + 4) : read32(fixed, 22);
    const entry = { name, size, crc: read32(fixed, 14), offset: begin };
    if (!same(head, localHeader(entry))) throw new Refused("VF-1002", begin);
    const place = rank(name);
    if (place <= last) throw new Refused("VF-1005", name);
    last = place;
    at += head.length;
    const most = DOCUMENTS[place]?.[1];
    if (most !== undefined && size > most) throw new Refused("VF-1007", name);
    if (at + size > source.size) throw new Refused("VF-1001", source.size);
    let crc = BIG, kept = [];
    const hash = new Sm3();
    for (let done = 0; done < size; ) {
      const chunk = await take(Math.min(CHUNK_BYTES, size - done));
      crc = crc32(crc, chunk);
      if (most === undefined) hash.update(chunk); else kept.push(chunk.slice());
      done += chunk.length;
      at += chunk.length;
      progress?.(at / source.size);
    }
    if ((crc ^ BIG) >>> 0 !== entry.crc) throw new Refused("VF-1003", name);
    if (most === undefined) originals.push({ name, size, sm3: hex(hash.digest()) }); else documents[name] = concat(...kept);
    entries.push(entry);
  }
  const end = directory(entries, at);
  const found = await source.read(at, at + end.length);
  if (found.length < end.length) throw new Refused("VF-1001", source.size);
  if (!same(found, end)) throw new Refused("VF-1002", at);
  if (source.size > at + end.length) throw new Refused("VF-1004", at + end.length);
  for (const name of ["record.json", "receipt.json"]) if (!documents[name]) throw new Refused("VF-1006", name);
  return { documents, originals };
}
