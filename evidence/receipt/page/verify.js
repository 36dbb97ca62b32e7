// The verification: one finding per element, with the codes of the offline verifier. What this page does not check it
// says it does not check, and then it never says that the bundle is verified.

const ELEMENTS = ["container", "record", "transaction", "inclusion", "header", "certificates", "trust", "original", "disclosures",
  "validators", "batch", "log_consistency", "witness", "time_token", "time_bound", "process_log", "seal", "revocation"];
/** Present, but beyond what a page can examine. */
const NOT_HERE = "VP-0090";

/**
 * Judges a bundle. `input`: `bundle` and `originals` (files or bytes; originals with `name`), `trust` (text, or null).
 * Answers `{ verdict, assurance, elements: [{ name, status, code, zh, en }], claims }`.
 */
async function verifyBundle(input, progress) {
  const findings = new Map(), say = (name, code, ...facts) => findings.set(name, { code, facts });
  const claims = {};
  const trust = input.trust === null || input.trust === undefined ? null : readTrust(input.trust);
  let bundle;
  try {
    bundle = await readBundle(input.bundle, progress);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say("container", error.code, error.fact);
    return report(findings, claims, "nothing");
  }
  const { documents } = bundle, record = attempt(() => readRecord(documents["record.json"]));
  if (record) say("record", "VF-1100", record.id); else say("record", "VF-1101");
  const receipt = attempt(() => readReceipt(documents["receipt.json"]));
  const certificates = receipt && attempt(() => ({
    validators: receipt.validators.map((text) => new Certificate(unbase64(text))),
    intermediates: receipt.intermediates.map((text) => new Certificate(unbase64(text))),
  }));
  say("container", !receipt ? "VF-1008" : !certificates ? "VF-1009" : "VF-1000");
  if (receipt && certificates) onReceipt(say, claims, { receipt, ...certificates, record, recordBytes: documents["record.json"], trust });
  const supplied = [];
  for (const file of input.originals ?? []) supplied.push({ name: file.name ?? "file", ...(await hashed(file.data ?? file, progress)) });
  onOriginals(say, record, bundle.originals, supplied, documents["batch.json"]);
  onDisclosures(say, record, documents["disclosures.json"]);
  onTimeBound(say, record);
  const beside = [["batch", "batch.json", "VF-2080"], ["log_consistency", "checkpoint.json", "VF-2180"], ["witness", "checkpoint.json", "VF-2280"],
    ["time_token", "checkpoint.json", "VF-2380"], ["process_log", "process.json", "VF-2580"]];
  for (const [name, document, absent] of beside) say(name, documents[document] ? NOT_HERE : absent);
  if (trust?.witnessesMin) say("witness", NOT_HERE);
  say("seal", documents["certificate.pdf"] || documents["certificate.ofd"] ? NOT_HERE : "VF-2680");
  say("revocation", trust?.lists ? NOT_HERE : "VF-2780");
  if (record) Object.assign(claims, { evidenceId: record.id, agency: record.agency.name, recordedAtMs: record.time.at_ms });
  claims.documents = Object.keys(documents);
  const anchored = findings.get("validators")?.code;
  return report(findings, claims, anchored === "VF-1900" ? "channel" : anchored === "VF-1980" ? "roots" : "nothing");
}

function attempt(work) {
  try { return work(); } catch (error) { if (error instanceof Malformed || error instanceof TypeError || error instanceof RangeError) return null; throw error; }
}

function onReceipt(say, claims, all) {
  const { receipt, validators } = all, { header, channel } = receipt;
  Object.assign(claims, { channel, headerNumber: header.number, headerTimeMs: header.time_ms, blockNumber: receipt.transaction.block_number, validators: validators.length });
  const opened = attempt(() => {
    const transaction = openTransaction(receipt.envelopeBytes);
    const signers = attempt(() => [identity(transaction.creator), ...transaction.endorsements.map((entry) => identity(field(entry, 1)))]);
    return { ...transaction, signers };
  });
  if (opened) claims.txId = opened.txId;
  say("transaction", ...(opened ? transactionFinding(all, opened) : ["VF-1201", "-"]));
  say("inclusion", ...inclusionFinding(receipt));
  say("header", ...headerFinding(receipt, validators));
  onCertificates(say, all, opened?.signers);
  say("validators", ...validatorsFinding(receipt, all.trust));
}

function transactionFinding({ receipt, record, recordBytes }, opened) {
  const { signers, endorsements } = opened;
  if (!signers) return ["VF-1213"];
  if (receipt.transaction.code !== 0) return ["VF-1202", receipt.transaction.code];
  if (opened.channel !== receipt.channel) return ["VF-1205", opened.channel, receipt.channel];
  const [called, recorded, ...more] = opened.args;
  if (opened.chaincode !== "evidence" || !called || !same(called, ascii("Create"))) return ["VF-1203", opened.chaincode.slice(0, 100)];
  if (!recorded || more.length > 0 || !same(recorded, recordBytes)) return ["VF-1204"];
  if (opened.status !== 200) return ["VF-1211", opened.status];
  if (!record) return ["VF-1204"];
  const stored = concat(unhex(opened.txId), recordBytes), key = ascii(`rec/${record.id}`);
  const written = opened.writes.some(({ namespace, writes }) => namespace === "evidence"
    && writes.some((write) => same(field(write, 1), key) && !(write[2] ?? 0) && same(field(write, 3), stored)));
  if (!written) return ["VF-1212"];
  if (signers[0].msp !== record.agency.msp_id) return ["VF-1210", signers[0].msp, record.agency.msp_id];
  if (!sm2Verifies(signers[0].certificate.key, opened.payload, opened.signature)) return ["VF-1206"];
  for (const [at, entry] of endorsements.entries()) {
    const message = concat(opened.result, field(entry, 1));
    if (!sm2Verifies(signers[at + 1].certificate.key, message, field(entry, 2))) return ["VF-1207", at + 1];
  }
  if (endorsements.length === 0) return ["VF-1208"];
  if (new Set(signers.slice(1).map(({ certificate }) => certificate.sm3)).size !== endorsements.length) return ["VF-1209"];
  return ["VF-1200", opened.txId, endorsements.length];
}

function inclusionFinding(receipt) {
  const { header, inclusion, transaction } = receipt;
  if (inclusion.size !== header.log_size) return ["VF-1302", inclusion.size, header.log_size];
  if (transaction.block_number >= header.number) return ["VF-1303", transaction.block_number, header.number];
  if (!leads(leafHash(receipt), inclusion, header.log_root)) return ["VF-1301"];
  return ["VF-1300", inclusion.index + 1, inclusion.size];
}

function headerFinding({ channel, header, commit }, validators) {
  const addresses = validators.map(({ key }) => addressOf(key));
  if (addresses.length === 0 || new Set(addresses).size !== addresses.length) return ["VF-1406"];
  if (validatorsHash(channel, validators) !== header.validators_hash) return ["VF-1405"];
  const places = [];
  for (const { validator, signature } of commit.signatures) {
    const place = addresses.indexOf(validator);
    if (place < 0) return ["VF-1403", validator];
    if (!sm2Verifies(validators[place].key, precommit(channel, header, commit.round, validator), unhex(signature))) return ["VF-1402", validator];
    places.push(place);
  }
  if (places.some((place, at) => at > 0 && place <= places[at - 1])) return ["VF-1404"];
  const needed = quorum(validators.length);
  if (places.length < needed) return ["VF-1401", places.length, needed];
  return ["VF-1400", header.number, places.length, validators.length, needed, channel];
}

function onCertificates(say, { receipt, validators, intermediates, trust }, signers) {
  if (!signers) { say("certificates", "VF-1591"); say("trust", "VF-1691"); return; }
  const leaves = [...new Map([...validators, ...signers.map(({ certificate }) => certificate)].map((one) => [one.sm3, one])).values()];
  const formal = formFinding({ receipt, validators, intermediates, trust }, signers, leaves);
  const { anchors } = receipt, ordered = anchors.length > 0 && anchors.every((anchor, at) => at === 0 || anchors[at - 1] < anchor);
  if (!ordered || !trust) {
    say("certificates", ...(formal ?? ["VF-1590"]));
    say("trust", ...(ordered ? ["VF-1690", anchors.join(", ")] : ["VF-1602"]));
    return;
  }
  const at = Math.floor(receipt.header.time_ms / 1000), reached = new Set();
  let failed = formal;
  for (const one of failed ? [] : intermediates) {
    const { root, reason } = chain(one, intermediates, trust.roots, at, true);
    if (!root) { failed ??= [reason, one.name]; }
  }
  for (const one of failed ? [] : leaves) {
    const { root, reason } = chain(one, intermediates, trust.roots, at, false);
    if (root) reached.add(root.sm3); else failed ??= [reason, one.name];
  }
  const stranger = anchors.find((anchor) => !trust.roots.some((root) => root.sm3 === anchor));
  say("certificates", ...(failed ?? ["VF-1500", leaves.length]));
  if (stranger) say("trust", "VF-1601", stranger);
  else if (failed) say("trust", "VF-1691");
  else if ([...reached].sort().join() !== anchors.join()) say("trust", "VF-1602");
  else say("trust", "VF-1600", anchors.join(", "));
}

/** Roles, and intermediates that are exactly those needed; null: in order. */
function formFinding({ validators, intermediates, trust }, signers, leaves) {
  const stranger = validators.find((one) => !one.units.includes("orderer"));
  if (stranger) return ["VF-1501", stranger.name];
  const endorser = signers.slice(1).find(({ certificate }) => !certificate.units.includes("peer"));
  if (endorser) return ["VF-1502", endorser.certificate.name];
  const needed = new Set(), open = [...leaves], keys = new Set();
  while (open.length > 0) {
    const subject = open.pop();
    for (const one of intermediates) if (!needed.has(one) && subject.names(one)) { needed.add(one); open.push(one); }
  }
  let last = "";
  for (const one of intermediates) {
    const key = hex(one.key.bytes), root = one.selfIssued || trust?.roots.some((other) => hex(other.key.bytes) === key);
    if (one.sm3 <= last || !needed.has(one) || root || keys.has(key)) return ["VF-1508", one.name];
    keys.add(key);
    last = one.sm3;
  }
  return null;
}

function validatorsFinding({ channel, header, configurations }, trust) {
  if (!trust) return ["VF-1990"];
  const first = configurations?.[0], genesis = first && hex(headerHash(channel, first.header));
  if (trust.channels.length === 0) return first ? ["VF-1992", channel, genesis] : ["VF-1980"];
  const anchor = trust.channels.find(({ id }) => id === channel);
  if (!anchor) return ["VF-1901", channel];
  if (!first) return anchor.validators.includes(header.validators_hash) ? ["VF-1900", channel, header.validators_hash] : ["VF-1902", header.validators_hash, channel];
  if (genesis !== anchor.genesis) return ["VF-1903", channel, genesis];
  if (first.header.number !== 0 || first.commit) return ["VF-1904", first.header.number];
  if (configurations.length === 1 && !first.envelope) {
    if (first.header.validators_hash !== header.validators_hash) return ["VF-1907", header.validators_hash];
    return header.number > 0 ? ["VF-1900", channel, genesis] : ["VF-1904", header.number];
  }
  // Validators that changed since: following the channel's own rules needs the offline verifier.
  return [NOT_HERE];
}

function onOriginals(say, record, packed, supplied, batch) {
  if (!record) return say("original", "VF-1791");
  if (record.batch || batch) return say("original", NOT_HERE);
  const seen = new Set();
  for (const file of packed) {
    const place = Number(file.name.slice(10, 12)) - 1, original = record.originals[place];
    if (!original || file.name !== `originals/${String(place + 1).padStart(2, "0")}.${extension(original.media_type)}`) return say("original", "VF-1703", file.name);
    if (file.sm3 !== original.sm3 || file.size !== original.size_bytes) return say("original", "VF-1701", file.name);
    seen.add(place);
  }
  for (const file of supplied) {
    const place = record.originals.findIndex((original) => original.sm3 === file.sm3 && original.size_bytes === file.size);
    if (place < 0) return say("original", "VF-1702", file.name);
    seen.add(place);
  }
  const missing = record.originals.map((_, place) => place).filter((place) => !seen.has(place)).map((place) => place + 1);
  return missing.length > 0 ? say("original", "VF-1790", missing.join(", ")) : say("original", "VF-1700", record.originals.length);
}

function onDisclosures(say, record, bytes) {
  if (!bytes) return say("disclosures", "VF-1880");
  const openings = attempt(() => readDisclosures(bytes));
  if (!openings) return say("disclosures", "VF-1801");
  if (!record) return say("disclosures", "VF-1890");
  for (const opening of openings) {
    const known = Object.hasOwn(record.personal ?? {}, opening.name) ? record.personal[opening.name] : null;
    if (known === null) return say("disclosures", "VF-1803", opening.name);
    if (known !== commitment(opening)) return say("disclosures", "VF-1802", opening.name);
  }
  return say("disclosures", "VF-1800", openings.length);
}

function onTimeBound(say, record) {
  const bound = record?.time.bound_us;
  if (!record) say("time_bound", "VF-2490");
  else if (bound === undefined) say("time_bound", "VF-2480");
  else say("time_bound", bound <= 10000 ? "VF-2400" : "VF-2401", bound, 10000);
}

/** What is said of an element that was not reached. */
const UNREAD = {
  record: "VF-1190", transaction: "VF-1290", inclusion: "VF-1390", header: "VF-1490", certificates: "VF-1591", trust: "VF-1691",
  original: "VF-1791", disclosures: "VF-1890", validators: "VF-1991", time_bound: "VF-2490",
};

function report(findings, claims, assurance) {
  const elements = ELEMENTS.map((name) => {
    const { code, facts } = findings.get(name) ?? { code: UNREAD[name] ?? NOT_HERE, facts: [] };
    const [status, zh, en] = code === NOT_HERE ? ["unchecked", ...NOT_HERE_WORDS] : REASONS[code];
    const filled = (template) => template.replace(/\{(\d)\}/g, (_, number) => String(facts[Number(number)] ?? "?"));
    return { name, status, code, zh: filled(zh), en: filled(en) };
  });
  const any = (status) => elements.some((element) => element.status === status);
  const verdict = any("failed") ? "not_verified" : any("unchecked") ? "unchecked" : "verified";
  return { verdict, assurance, elements, claims };
}

const NOT_HERE_WORDS = [
  "本页不核验此项。请用离线核验程序 changbai verify 核验。",
  "This page does not check this element. Use the offline verifier, changbai verify.",
];
globalThis.changbaiVerify = verifyBundle;
