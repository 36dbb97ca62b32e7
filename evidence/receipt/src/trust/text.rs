//! The text of a trust file.

use changbai_core::canonical;
use changbai_merkle::VerifierKey;
use smkit_pki::{RevocationList, TrustAnchors};

use super::{ChannelAnchor, Further, Trust, TrustError};

/// Keys in the order in which they stand: the version once, three for each channel, those of logs and witnesses.
const VERSION: &str = "Changbai-Trust: ";
const CHANNEL: &str = "Channel: ";
const GENESIS: &str = "Genesis: ";
const VALIDATORS: &str = "Validators: ";
const LOG: &str = "Log: ";
const WITNESS: &str = "Witness: ";
const WITNESSES_MIN: &str = "Witnesses-Min: ";
/// Roots and channels.
const PLAIN: &str = "1";
/// With further keys, roots for one purpose and revocation lists.
const FURTHER: &str = "2";

/// Above roots for one purpose; those before the first such line are the ledger's.
const ROOTS_TSA: &str = "Roots: time-stamps";
const ROOTS_SEAL: &str = "Roots: seals";

const CERTIFICATE: [&str; 2] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];
const LIST: [&str; 2] = ["-----BEGIN X509 CRL-----", "-----END X509 CRL-----"];

pub(super) fn write(trust: &Trust) -> String {
    let further = &trust.further;
    let mut out = String::new();
    if !trust.channels.is_empty() {
        let version = if further.is_empty() { PLAIN } else { FURTHER };
        out.push_str(&format!("{VERSION}{version}\n"));
    }
    for channel in &trust.channels {
        out.push_str(&format!("{CHANNEL}{}\n{GENESIS}{}\n", channel.channel_id, channel.genesis));
        for set in &channel.validators {
            out.push_str(&format!("{VALIDATORS}{set}\n"));
        }
    }
    for key in &further.log_keys {
        out.push_str(&format!("{LOG}{key}\n"));
    }
    for key in &further.witnesses {
        out.push_str(&format!("{WITNESS}{key}\n"));
    }
    if further.witnesses_min > 0 {
        out.push_str(&format!("{WITNESSES_MIN}{}\n", further.witnesses_min));
    }
    trust.roots.iter().for_each(|root| out.push_str(&root.to_pem()));
    for (label, roots) in [(ROOTS_TSA, &further.tsa_roots), (ROOTS_SEAL, &further.seal_roots)] {
        if !roots.is_empty() {
            out.push_str(&format!("{label}\n"));
            roots.iter().for_each(|root| out.push_str(&root.to_pem()));
        }
    }
    further.revocation_lists.iter().for_each(|list| out.push_str(&list.to_pem()));
    out
}

pub(super) fn parse(text: &str) -> Result<Trust, TrustError> {
    let mut reader = Reader::default();
    for (line, content) in (1..).zip(text.lines()) {
        // `lines` takes LF and CRLF; blanks at the end of a line are an editor's.
        let content = content.trim_end_matches([' ', '\t']);
        reader.line(content).map_err(|reason| TrustError::Line { line, reason })?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    /// Whether a version stood there, and whether it was the one with further keys.
    versioned: bool,
    further: bool,
    channels: Vec<Started>,
    log_keys: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    witnesses_min: Option<usize>,
    /// Certificate blocks of each purpose, joined: the ledger's, time stamps', seals'.
    roots: [String; 3],
    /// Which of them the next certificate belongs to.
    purpose: usize,
    lists: Vec<String>,
    within: Option<Block>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Certificate,
    List,
}

/// A channel whose lines are being read.
struct Started {
    channel_id: String,
    genesis: Option<smkit::Sm3Digest>,
    validators: Vec<smkit::Sm3Digest>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if self.within.is_some() || line == CERTIFICATE[0] || line == LIST[0] {
            return self.pem_line(line);
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if self.further && self.begins_roots(line) {
            return Ok(());
        }
        if self.roots.iter().any(|pem| !pem.is_empty()) || !self.lists.is_empty() {
            return Err("only certificates may follow a certificate, in their order");
        }
        if let Some(version) = line.strip_prefix(VERSION) {
            let first = !std::mem::replace(&mut self.versioned, true);
            self.further = version == FURTHER;
            return if first && (self.further || version == PLAIN) {
                Ok(())
            } else {
                Err("this verifier reads versions 1 and 2")
            };
        }
        if !self.versioned {
            return Err("neither the version, nor a certificate, nor a comment");
        }
        if self.further && self.further_key(line)? { Ok(()) } else { self.key(line) }
    }

    /// Whether the line begins the roots of one purpose: after the ledger's, time stamps' before seals'.
    fn begins_roots(&mut self, line: &str) -> bool {
        let purpose = match line {
            ROOTS_TSA => 1,
            ROOTS_SEAL => 2,
            _ => return false,
        };
        let [ledger, ..] = &self.roots;
        let follows = self.purpose < purpose && !ledger.is_empty() && self.lists.is_empty();
        if follows {
            self.purpose = purpose;
        }
        follows
    }

    fn key(&mut self, line: &str) -> Result<(), &'static str> {
        const HEX: &str = "not 64 lower-case hexadecimal digits";
        if !self.log_keys.is_empty() || !self.witnesses.is_empty() || self.witnesses_min.is_some() {
            return Err("an unknown key, or one in another order");
        }
        if let Some(id) = line.strip_prefix(CHANNEL) {
            let channel_id = id.to_owned();
            self.channels.push(Started { channel_id, genesis: None, validators: Vec::new() });
            return Ok(());
        }
        let channel = self.channels.last_mut().ok_or("a channel must come first")?;
        if let Some(hash) = line.strip_prefix(GENESIS) {
            let hash = canonical::digest(hash).ok_or(HEX)?;
            return match channel.genesis.replace(hash) {
                None => Ok(()),
                Some(_) => Err("a channel has one genesis block"),
            };
        }
        if let Some(hash) = line.strip_prefix(VALIDATORS) {
            if channel.genesis.is_none() {
                return Err("the genesis block must come first");
            }
            channel.validators.push(canonical::digest(hash).ok_or(HEX)?);
            return Ok(());
        }
        Err("an unknown key")
    }

    /// Takes a key of version 2; false: it is none.
    fn further_key(&mut self, line: &str) -> Result<bool, &'static str> {
        const KEY: &str = "not the text of an SM2 key for notes";
        let read = |text: &str| VerifierKey::from_text(text).map_err(|_| KEY);
        if let Some(key) = line.strip_prefix(LOG) {
            if !self.witnesses.is_empty() || self.witnesses_min.is_some() {
                return Err("keys of logs come before witnesses");
            }
            self.log_keys.push(read(key)?);
        } else if let Some(key) = line.strip_prefix(WITNESS) {
            if self.witnesses_min.is_some() {
                return Err("witnesses come before their number");
            }
            self.witnesses.push(read(key)?);
        } else if let Some(number) = line.strip_prefix(WITNESSES_MIN) {
            let value = number.parse::<usize>().ok().filter(|value| *value > 0);
            let value = value.filter(|value| value.to_string() == number);
            let value = value.ok_or("not a number of witnesses")?;
            if self.witnesses_min.replace(value).is_some() {
                return Err("the number of witnesses is there twice");
            }
        } else {
            return Ok(false);
        }
        if self.channels.is_empty() { Err("a channel must come first") } else { Ok(true) }
    }

    fn pem_line(&mut self, line: &str) -> Result<(), &'static str> {
        let [certificate_begin, certificate_end] = CERTIFICATE;
        let [list_begin, list_end] = LIST;
        match (self.within, line) {
            (None, begin) if begin == list_begin => {
                let [ledger, ..] = &self.roots;
                if !self.further || ledger.is_empty() {
                    return Err("revocation lists come after the roots, in version 2");
                }
                self.within = Some(Block::List);
                self.lists.push(String::new());
            }
            (None, _) => {
                if !self.lists.is_empty() {
                    return Err("only revocation lists may follow a revocation list");
                }
                self.within = Some(Block::Certificate);
            }
            (Some(_), begin) if begin == certificate_begin || begin == list_begin => {
                return Err("a certificate within a certificate");
            }
            _ => {}
        }
        let into = match self.within {
            Some(Block::List) => self.lists.last_mut(),
            _ => self.roots.get_mut(self.purpose),
        };
        if let Some(pem) = into {
            pem.push_str(line);
            pem.push('\n');
        }
        let end = if self.within == Some(Block::List) { list_end } else { certificate_end };
        if line == end {
            self.within = None;
        }
        Ok(())
    }

    fn finish(self) -> Result<Trust, TrustError> {
        let refuse = |reason| TrustError::Content { reason };
        if self.within.is_some() {
            return Err(refuse("the last certificate is not closed"));
        }
        if self.versioned && self.channels.is_empty() {
            return Err(refuse("there is a version, but no channel"));
        }
        let channels = self.channels.into_iter().map(|channel| {
            let Started { channel_id, genesis, validators } = channel;
            let genesis = genesis.ok_or_else(|| refuse("a channel has no genesis block"))?;
            Ok(ChannelAnchor { channel_id, genesis, validators })
        });
        let channels = channels.collect::<Result<_, TrustError>>()?;
        let [ledger, time_stamps, seals] = &self.roots;
        let trust = Trust::new(TrustAnchors::from_pem(ledger)?, channels)?;
        if !self.further {
            return Ok(trust);
        }
        let labelled = |at: usize, pem: &str| {
            if pem.is_empty() && self.purpose != at {
                return Ok(TrustAnchors::default());
            }
            TrustAnchors::from_pem(pem)
        };
        let lists = self.lists.iter().map(|pem| RevocationList::from_pem(pem));
        let further = Further {
            tsa_roots: labelled(1, time_stamps)?,
            seal_roots: labelled(2, seals)?,
            revocation_lists: lists.collect::<Result<_, _>>()?,
            log_keys: self.log_keys,
            witnesses: self.witnesses,
            witnesses_min: self.witnesses_min.unwrap_or_default(),
        };
        if further.is_empty() {
            return Err(refuse("version 2 without anything that needs it"));
        }
        trust.with(further)
    }
}

impl Further {
    /// Nothing that needs version 2 of the file.
    fn is_empty(&self) -> bool {
        self.log_keys.is_empty()
            && self.witnesses.is_empty()
            && self.tsa_roots.is_empty()
            && self.seal_roots.is_empty()
            && self.revocation_lists.is_empty()
    }
}
