// The receipt: its form, and the values that are derived from it.

const isCommit = isObject({
  round: isNumber(0xffffffff),
  signatures: isList(isObject({ signature: isHex, validator: isDigest }), 0, 128),
});
const isHeader = isObject({
  config_number: isNumber(), data_hash: isDigest, log_root: isDigest, log_size: isNumber(), number: isNumber(), previous_hash: isDigest,
  time_bound_us: isNumber(0xffffffff), time_ms: isNumber(), validators_hash: isDigest,
});
const receiptShape = isObject({
  anchors: isList(isDigest, 0, 64),
  channel: (value) => isText(value) && ascii(value).length >= 1 && ascii(value).length <= 249 || refuse("an impossible channel"),
  commit: isCommit,
  "configurations?": isList(isObject({ "commit?": isCommit, "envelope?": isBase64, header: isHeader }), 1, 64),
  format: isOneOf(1, 2),
  header: isHeader,
  inclusion: isObject({ index: isNumber(), path: isList(isDigest, 0, 64), size: isNumber() }),
  intermediates: isList(isBase64, 0, 64),
  transaction: isObject({ block_number: isNumber(), code: isNumber(255), envelope: isBase64, index: isNumber(0xffffffff) }),
  validators: isList(isBase64, 0, 128),
});

/** The receipt in `receipt.json`; certificates are read apart, since a wrong one has a reason of its own. */
function readReceipt(bytes) {
  const receipt = canonical(bytes);
  receiptShape(receipt);
  if ((receipt.format === 2) !== ("configurations" in receipt)) refuse("another format");
  const commits = [receipt.commit, ...(receipt.configurations ?? []).flatMap((link) => link.commit ?? [])];
  for (const commit of commits) commit.signatures.forEach(({ signature }) => signatureOf(unhex(signature)));
  if (commits.slice(1).some((commit) => commit.signatures.length === 0)) refuse("a commit without signatures");
  receipt.envelopeBytes = unbase64(receipt.transaction.envelope);
  return receipt;
}

const addressOf = (key) => hex(sm3(key.bytes));
const quorum = (count) => Math.floor((2 * count) / 3) + 1;

function validatorsHash(channel, certificates) {
  const members = certificates.map(({ key }) => concat(sm3(key.bytes), key.bytes));
  return hex(sm3(ascii("changbai/wire/validators/v1"), sized(ascii(channel)), u32(members.length), ...members));
}

function headerHash(channel, header) {
  return sm3(ascii("changbai/wire/header/v1"), u32(1), sized(ascii(channel)), u64(header.number), unhex(header.previous_hash),
    unhex(header.data_hash), u64(header.time_ms), u32(header.time_bound_us), u64(header.log_size), unhex(header.log_root),
    unhex(header.validators_hash), u64(header.config_number));
}

function precommit(channel, header, round, validator) {
  return concat(ascii("changbai/consensus/vote/v1"), Uint8Array.of(2), sized(ascii(channel)), u64(header.number), u32(round),
    Uint8Array.of(1), headerHash(channel, header), unhex(validator));
}

function leafHash({ transaction, envelopeBytes }) {
  return sm3(Uint8Array.of(0, 1), u64(transaction.block_number), u32(transaction.index), Uint8Array.of(transaction.code), sm3(envelopeBytes));
}

/** RFC 9162 §2.1.3.2 over SM3: whether the path leads from the leaf to the root. Sizes are below 2^53. */
function leads(leaf, { index, path, size }, root) {
  if (index >= size) return false;
  let fn = index, sn = size - 1, hash = leaf;
  const node = (left, right) => sm3(Uint8Array.of(1), left, right), half = (number) => Math.floor(number / 2);
  for (const step of path.map(unhex)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = node(step, hash);
      while (fn % 2 === 0 && fn !== 0) { fn = half(fn); sn = half(sn); }
    } else hash = node(hash, step);
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && hex(hash) === root;
}

/** One signer: msp id and certificate, in the one encoding. */
function identity(bytes) {
  const parsed = message(bytes, { once: [1, 2] }), pem = utf8(field(parsed, 2));
  if (!same(encoded([1, field(parsed, 1)], [2, field(parsed, 2)]), bytes)) refuse("an identity in another encoding");
  const [certificate, ...more] = pemCertificates(pem);
  if (!certificate || more.length > 0 || pem !== pemText(certificate.der)) refuse("not one certificate");
  if (certificate.ca || !certificate.units.some((unit) => ROLES.includes(unit))) refuse("an authority, or without a role");
  return { msp: utf8(field(parsed, 1)), certificate };
}

const ROLES = ["admin", "client", "peer", "orderer"];
const pemText = (der) => `-----BEGIN CERTIFICATE-----\n${base64(der).replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;

/** The transaction in the envelope. Throws for anything that is not one. */
function openTransaction(envelope) {
  const outer = message(envelope, { once: [1, 2] }), payload = field(outer, 1), signature = field(outer, 2);
  if (!same(encoded([1, payload], [2, signature]), envelope) || signature.length === 0) refuse("NIL_ENVELOPE");
  const { 1: header, 2: data } = message(payload, { once: [1, 2] });
  const heads = message(header ?? refuse("BAD_COMMON_HEADER"), { once: [1, 2] });
  const channelHeader = field(heads, 1), signatureHeader = field(heads, 2);
  const channel = message(channelHeader, { once: [4, 5, 7], numbers: [1, 6] });
  if (channel[1] !== 3 || (channel[6] ?? 0) !== 0) refuse("BAD_COMMON_HEADER");
  const { 1: creator, 2: nonce } = message(signatureHeader, { once: [1, 2] });
  const txId = hex(sm3(nonce ?? refuse("no nonce"), creator ?? refuse("no creator")));
  if (utf8(field(channel, 5)) !== txId) refuse("BAD_PROPOSAL_TXID");
  const { 1: actions } = message(data ?? refuse("no data"), { many: [1] });
  if (actions.length !== 1) refuse("INVALID_ENDORSER_TRANSACTION");
  const action = message(actions[0], { once: [1, 2] });
  if (!same(field(action, 1), signatureHeader)) refuse("INVALID_ENDORSER_TRANSACTION");
  const { 1: proposal, 2: endorsed } = message(field(action, 2), { once: [1, 2] });
  const { 1: result, 2: endorsements } = message(endorsed ?? refuse("not endorsed"), { once: [1], many: [2] });
  if (endorsements.length > 64) refuse("too many endorsements");
  const input = field(message(proposal ?? refuse("no proposal"), { once: [1], never: [2] }), 1);
  const spec = message(field(message(input, { once: [1] }), 1), { once: [2, 3] });
  const answer = message(result ?? refuse("no result"), { once: [1, 2] });
  if (!same(field(answer, 1), sm3(channelHeader, signatureHeader, proposal))) refuse("INVALID_ENDORSER_TRANSACTION");
  const outcome = message(field(answer, 2), { once: [1, 3, 4] });
  const name = (id) => utf8(field(message(id, { once: [2] }), 2));
  const extension = message(field(channel, 7), { once: [2] });
  const chaincodes = [field(extension, 2), field(spec, 2), field(outcome, 4)].map(name);
  if (new Set(chaincodes).size !== 1) refuse("INVALID_CHAINCODE");
  const namespaces = message(field(outcome, 1), { many: [2] })[2].map((entry) => message(entry, { once: [1, 2] }));
  return {
    payload, signature, txId, creator, chaincode: chaincodes[0], result,
    channel: utf8(field(channel, 4)),
    args: message(field(spec, 3), { many: [1] })[1],
    status: message(field(outcome, 3), { numbers: [1] })[1] ?? 0,
    endorsements: endorsements.map((entry) => message(entry, { once: [1, 2] })),
    writes: namespaces.map((entry) => ({
      namespace: utf8(field(entry, 1)),
      writes: message(field(entry, 2), { many: [3] })[3].map((write) => message(write, { once: [1, 3], numbers: [2] })),
    })),
  };
}
