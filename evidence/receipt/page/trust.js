// The trust file: what the reader trusts, obtained elsewhere.

/** Roots, channels, and whether there is something that this page does not judge. Throws for what is not understood. */
function readTrust(text) {
  const trust = { channels: [], lists: false, witnessesMin: 0, roots: [] };
  let version = 0, within = null, pem = "", purpose = 0, stage = 0;
  const channel = () => trust.channels[trust.channels.length - 1] ?? refuse("a channel must come first");
  const digest = (value) => isDigest(value) && value;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/\r$/, "").replace(/[ \t]+$/, "");
    if (within) {
      if (line.startsWith("-----BEGIN")) refuse("a block within a block");
      if (within === "CERTIFICATE" && purpose === 0) pem += line + "\n";
      if (line === `-----END ${within}-----`) within = null;
      continue;
    }
    if (line === "" || line.startsWith("#")) continue;
    const begin = /^-----BEGIN (CERTIFICATE|X509 CRL)-----$/.exec(line);
    if (begin) {
      within = begin[1];
      if (within === "X509 CRL") { if (version !== 2 || pem === "") refuse("a revocation list"); trust.lists = true; stage = 9; }
      else { if (stage === 9) refuse("a certificate after a revocation list"); stage = 8; if (purpose === 0) pem += line + "\n"; }
      continue;
    }
    const found = /^([A-Za-z-]+): (.+)$/.exec(line);
    if (!found) refuse("a line that is not understood");
    const [, key, value] = found;
    if (version === 2 && key === "Roots" && stage === 8) {
      const next = { "time-stamps": 1, seals: 2 }[value] ?? refuse("roots for what?");
      if (next <= purpose) refuse("roots in another order");
      purpose = next;
      continue;
    }
    if (stage >= 8) refuse("only certificates may follow a certificate");
    if (key === "Changbai-Trust" && version === 0 && (value === "1" || value === "2")) version = Number(value);
    else if (version === 0) refuse("no version");
    else if (key === "Channel" && stage === 0) {
      if (!/^[a-z][a-z0-9.-]{0,248}$/.test(value) || trust.channels.some((known) => known.id === value)) refuse("an impossible channel");
      trust.channels.push({ id: value, genesis: null, validators: [] });
    } else if (key === "Genesis" && stage === 0 && channel().genesis === null) channel().genesis = digest(value);
    else if (key === "Validators" && stage === 0 && channel().genesis !== null) channel().validators.push(digest(value));
    else if (version === 2 && key === "Log" && stage <= 1) { channel(); stage = 1; }
    else if (version === 2 && key === "Witness" && stage <= 2) { channel(); stage = 2; }
    else if (version === 2 && key === "Witnesses-Min" && stage <= 2 && /^[1-9]\d?$/.test(value)) { stage = 3; trust.witnessesMin = Number(value); }
    else refuse("an unknown key, or one in another order");
  }
  if (within || (version > 0 && trust.channels.length === 0) || trust.channels.some((known) => known.genesis === null)) refuse("it is not complete");
  trust.roots = pemCertificates(pem);
  if (trust.roots.length === 0 || trust.roots.length !== (pem.match(/-----BEGIN/g) ?? []).length) refuse("its roots cannot be read");
  return trust;
}
