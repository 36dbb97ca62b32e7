// The record: its form, its id, and what the reader is told of it.

const DIGITS36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS31 = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** ISO 7064 MOD 37,36. */
function checkCharacter(body) {
  let p = 36;
  for (const character of body) p = (((p + DIGITS36.indexOf(character)) % 36 || 36) * 2) % 37;
  return DIGITS36[(37 - p) % 36];
}

/** GB 32100: a unified social credit code with its check character. */
function isAgencyCode(code) {
  let sum = 0, weight = 1;
  for (const character of code.slice(0, 17)) { sum += DIGITS31.indexOf(character) * weight; weight = (weight * 3) % 31; }
  return DIGITS31[(31 - (sum % 31)) % 31] === code[17];
}

function isEvidenceId(id) {
  const form = /^CC\d{6}[0-9A-HJ-NP-RTUWXY]{18}\d{8}[0-9A-HJKMNP-TV-Z]{12}[0-9A-Z]$/;
  return typeof id === "string" && form.test(id) && checkCharacter(id.slice(0, 46)) === id[46] && isAgencyCode(id.slice(8, 26));
}

/** The day at UTC+8, `yyyyMMdd`. */
const chinaDay = (ms) => new Date(ms + 8 * 3600 * 1000).toISOString().slice(0, 10).replaceAll("-", "");

const isEvidence = (id) => isEvidenceId(id) || refuse("not an evidence id");
const recordShape = isObject({
  agency: isObject({ code: isText, msp_id: isMatch(/^[A-Za-z0-9._-]{1,64}$/), name: isText }),
  "batch?": isObject({ root: isDigest, size: isNumber(100000) }),
  business_type: isText,
  collection: isObject({ method: isText, source: isText }),
  "fields?": isMap(isText),
  format: isOneOf(1, 2),
  id: isEvidence,
  originals: isList(isObject({
    custody: isOneOf("platform", "submitter"),
    media_type: isMatch(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/),
    size_bytes: isNumber(),
    sm3: isDigest,
  }), 0, 64),
  "personal?": isMap(isDigest),
  "previous?": isEvidence,
  submitter: isObject({ certificate_sm3: isDigest, subject: isText }),
  time: isObject({ at_ms: isNumber(9999999999999), "bound_us?": isNumber(0xffffffff), source: isOneOf("synchronised", "local") }),
});

/** The record in `record.json`. */
function readRecord(bytes) {
  const record = canonical(bytes);
  recordShape(record);
  const { id, agency, time, originals } = record;
  const digests = new Set(originals.map((original) => original.sm3));
  const right = id.slice(8, 26) === agency.code && id.slice(26, 34) === chinaDay(time.at_ms) && record.previous !== id
    && (time.source === "synchronised") === ("bound_us" in time) && digests.size === originals.length
    && (record.format === 2) === ("batch" in record) && (record.format === 2) === (originals.length === 0);
  return right ? record : refuse("a record that contradicts itself");
}

const disclosuresShape = isObject({
  format: isOneOf(1),
  openings: isList(isObject({ name: isText, salt: isDigest, value: isText }), 1, 64),
});

/** The openings in `disclosures.json`. */
function readDisclosures(bytes) {
  const value = canonical(bytes);
  disclosuresShape(value);
  const names = value.openings.map((opening) => ascii(opening.name));
  names.forEach((name, at) => at > 0 && (before(names[at - 1], name) || refuse("names are not rising")));
  return value.openings;
}

/** Whether bytes stand before others. */
function before(a, b) {
  const at = a.findIndex((byte, place) => byte !== b[place]);
  return at < 0 ? a.length < b.length : at < b.length && a[at] < b[at];
}

const commitment = ({ name, salt, value }) =>
  hex(sm3(ascii("changbai/core/commitment/v1"), unhex(salt), sized(ascii(name)), sized(ascii(value))));
