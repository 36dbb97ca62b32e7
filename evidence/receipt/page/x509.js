// X.509 v3 with SM2 keys, and chains to trusted roots (RFC 5280, the profile of the format).

const OID = {
  ecPublicKey: "06072a8648ce3d0201", sm2Curve: "06082a811ccf5501822d", sm2WithSm3: "06082a811ccf55018375",
  unit: "060355040b", name: "0603550403", basicConstraints: "0603551d13", keyUsage: "0603551d0f", subjectKey: "0603551d0e",
  authorityKey: "0603551d23", extendedUsage: "0603551d25", alternativeNames: "0603551d11", listPoints: "0603551d1f",
  authorityAccess: "06082b06010505070101", noCheck: "06092b0601050507300105", organisationCode: "06082a811cd014040104",
};
const EVALUATED = [OID.basicConstraints, OID.keyUsage, OID.subjectKey, OID.authorityKey, OID.extendedUsage, OID.alternativeNames,
  OID.listPoints, OID.authorityAccess, OID.noCheck, OID.organisationCode];
const CERTIFICATE_BYTES_MAX = 16384;
const CHAIN_DEPTH_MAX = 8;

class Certificate {
  constructor(der) {
    if (der.length > CERTIFICATE_BYTES_MAX) refuse("a certificate that is too large");
    const [tbs, algorithm, signature, ...rest] = der1(der, 0x30).children();
    if (!signature || rest.length > 0 || hex(algorithm.expect(0x30).children()[0].whole) !== OID.sm2WithSm3) refuse("not signed with SM2");
    const fields = tbs.expect(0x30).children();
    const [version, , inner, issuer, validity, subject, keyInfo] = fields;
    if (fields.length < 8 || hex(version.whole) !== "a003020102" || hex(inner.whole) !== hex(algorithm.whole)) refuse("not an X.509 v3 certificate");
    const [key, point] = keyInfo.expect(0x30).children(), [keyAlgorithm, curve] = key.children();
    if (hex(keyAlgorithm.whole) !== OID.ecPublicKey || hex(curve.whole) !== OID.sm2Curve) refuse("not an SM2 key");
    this.der = der;
    this.sm3 = hex(sm3(der));
    this.tbs = tbs.whole;
    this.signature = bits(signature);
    this.issuer = hex(issuer.expect(0x30).whole);
    this.subject = hex(subject.expect(0x30).whole);
    [this.notBefore, this.notAfter] = validity.expect(0x30).children().map(time);
    this.key = publicKey(bits(point));
    this.units = attributes(subject, OID.unit);
    this.name = attributes(subject, OID.name)[0] ?? this.sm3.slice(0, 16);
    this.extensions(fields.slice(7));
  }

  extensions(rest) {
    Object.assign(this, { ca: false, pathLength: null, usage: 0, subjectKey: null, authorityKey: null, purposes: [], unknownCritical: false });
    const holder = rest.find((part) => part.tag === 0xa3) ?? refuse("no extensions");
    const seen = new Set();
    for (const extension of der1(holder.content, 0x30).children()) {
      const parts = extension.expect(0x30).children(), id = hex(parts[0].expect(0x06).whole);
      const critical = parts.length === 3 && hex(parts[1].whole) === "0101ff";
      if (seen.has(id) || (parts.length === 3 && !critical)) refuse("an extension twice, or with a default value");
      seen.add(id);
      const value = parts[parts.length - 1].expect(0x04).content;
      if (id === OID.basicConstraints) {
        const list = der1(value, 0x30).children();
        this.ca = list.length > 0 && hex(list[0].whole) === "0101ff";
        if (list.length > 1) this.pathLength = Number(toBig(list[1].expect(0x02).content));
      } else if (id === OID.keyUsage) {
        const usage = der1(value, 0x03).content;
        this.usage = usage.length > 1 ? usage[1] : 0;
      } else if (id === OID.subjectKey) this.subjectKey = hex(der1(value, 0x04).content);
      else if (id === OID.authorityKey) {
        const key = der1(value, 0x30).children().find((part) => part.tag === 0x80);
        this.authorityKey = key ? hex(key.content) : null;
      } else if (id === OID.extendedUsage) this.purposes = der1(value, 0x30).children().map((purpose) => hex(purpose.whole));
      else if (critical && !EVALUATED.includes(id)) this.unknownCritical = true;
    }
  }

  get selfIssued() { return this.issuer === this.subject; }

  names(issuer) {
    const sameKey = this.authorityKey === null || issuer.subjectKey === null || this.authorityKey === issuer.subjectKey;
    return this.issuer === issuer.subject && sameKey;
  }

  issuedBy(issuer) { return sm2Verifies(issuer.key, this.tbs, this.signature); }
}

function bits(element) {
  const content = element.expect(0x03).content;
  return content.length > 0 && content[0] === 0 ? content.subarray(1) : refuse("a bit string with odd bits");
}

function time(element) {
  const text = utf8(element.content);
  const found = (element.tag === 0x17 ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
  if (!found) refuse("not a time");
  const [year, ...rest] = found.slice(1).map(Number);
  const full = element.tag === 0x17 ? (year < 50 ? 2000 + year : 1900 + year) : year;
  return Date.UTC(full, rest[0] - 1, ...rest.slice(1)) / 1000;
}

function attributes(subject, wanted) {
  const found = [];
  for (const set of subject.children()) for (const pair of set.expect(0x31).children()) {
    const [id, value] = pair.expect(0x30).children();
    if (hex(id.whole) === wanted) found.push(utf8(value.content));
  }
  return found;
}

/** Certificates that a PEM text holds. */
function pemCertificates(text) {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?/g)]
    .map(([, body]) => new Certificate(unbase64(body.replaceAll("\n", ""))));
}

const USAGE_SIGN = 0x80, USAGE_CERTIFY = 0x04;
/** Time stamping and OCSP: a certificate for these alone signs nothing else. */
const DEDICATED = ["06082b06010505070308", "06082b06010505070309"];
const dedicated = (one) => one.purposes.length > 0 && one.purposes.every((purpose) => DEDICATED.includes(purpose));

/**
 * The root that a certificate's chain leads to at a moment, in Unix seconds; or the code of the first reason why none does.
 * `certify`: the certificate itself must be an authority's.
 */
function chain(leaf, intermediates, roots, at, certify) {
  let reason = null, checked = 0;
  const fail = (code) => { reason ??= code; return null; };
  const judge = (path) => {
    if (path.some((one) => at < one.notBefore)) return fail("VF-1504");
    if (path.some((one) => at > one.notAfter)) return fail("VF-1503");
    for (const [index, one] of path.entries()) {
      const below = path.slice(1, index).filter((other) => !other.selfIssued).length;
      const authority = index > 0 || certify;
      if ((authority && !one.ca) || (one.pathLength !== null && below > one.pathLength) || one.unknownCritical) return fail("VF-1507");
      if (!(one.usage & (authority ? USAGE_CERTIFY : USAGE_SIGN))) return fail("VF-1507");
      if (!certify && dedicated(one)) return fail("VF-1507");
    }
    return path[path.length - 1];
  };
  const extend = (path) => {
    const last = path[path.length - 1];
    const anchor = roots.find((root) => root.sm3 === last.sm3);
    if (anchor) return anchor.selfIssued && !anchor.issuedBy(anchor) ? fail("VF-1506") : judge(path);
    if (path.length >= CHAIN_DEPTH_MAX) return fail("VF-1507");
    let named = false;
    for (const candidate of [...roots, ...intermediates]) {
      if (!last.names(candidate) || path.includes(candidate)) continue;
      named = true;
      if (++checked > 64) return fail("VF-1507");
      if (!last.issuedBy(candidate)) { fail("VF-1506"); continue; }
      const found = extend([...path, candidate]);
      if (found) return found;
    }
    return named ? null : fail("VF-1505");
  };
  return { root: extend([leaf]), reason };
}
