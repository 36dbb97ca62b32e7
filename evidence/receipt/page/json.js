// Canonical JSON (RFC 8785, restricted to objects, arrays, strings and integers from 0 to 2^53 − 1).

function canonicalText(value) {
  if (typeof value === "string") return value.isWellFormed?.() === false ? refuse("a lone surrogate") : JSON.stringify(value);
  if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value === null || typeof value !== "object") return refuse("a value of another kind");
  const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(",")}}`;
}

/** The value of a document; what was read is written again and must be the same text. */
function canonical(bytes) {
  const text = utf8(bytes);
  let value;
  try { value = JSON.parse(text); } catch { return refuse("not JSON"); }
  return canonicalText(value) === text ? value : refuse("not in canonical form");
}

// Shapes: a function that accepts a value or throws.
const isText = (value) => typeof value === "string" || refuse("not a text");
const isNumber = (most = Number.MAX_SAFE_INTEGER) => (value) => (Number.isSafeInteger(value) && value >= 0 && value <= most) || refuse("not such a number");
const isDigest = (value) => (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) || refuse("not a digest");
const isHex = (value) => unhex(value) && true;
const isBase64 = (value) => unbase64(value) && true;
const isOneOf = (...values) => (value) => values.includes(value) || refuse("not one of these");
const isMatch = (pattern) => (value) => (typeof value === "string" && pattern.test(value)) || refuse("not of that form");
const isList = (item, least, most) => (value) => {
  if (!Array.isArray(value) || value.length < least || value.length > most) refuse("not such a list");
  value.forEach(item);
};
const isMap = (item) => (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value) || Object.keys(value).length === 0) refuse("not a map");
  Object.values(value).forEach(item);
};
/** An object with exactly these keys; those with `?` may be missing. */
const isObject = (fields) => (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) refuse("not an object");
  const unknown = new Set(Object.keys(value));
  for (const [label, check] of Object.entries(fields)) {
    const key = label.replace("?", "");
    if (unknown.delete(key)) check(value[key]);
    else if (!label.endsWith("?")) refuse(`no ${key}`);
  }
  if (unknown.size > 0) refuse("an unknown key");
};
