//! The text of a trust file.

use changbai_core::canonical;
use smkit_pki::TrustAnchors;

use super::{ChannelAnchor, Trust, TrustError};

/// Keys in the order in which they stand: the version once, then three for each channel.
const VERSION: &str = "Changbai-Trust: ";
const CHANNEL: &str = "Channel: ";
const GENESIS: &str = "Genesis: ";
const VALIDATORS: &str = "Validators: ";
const FORMAT: &str = "1";

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

pub(super) fn write(trust: &Trust) -> String {
    let mut out = String::new();
    if !trust.channels.is_empty() {
        out.push_str(&format!("{VERSION}{FORMAT}\n"));
    }
    for channel in &trust.channels {
        out.push_str(&format!("{CHANNEL}{}\n{GENESIS}{}\n", channel.channel_id, channel.genesis));
        for set in &channel.validators {
            out.push_str(&format!("{VALIDATORS}{set}\n"));
        }
    }
    for root in trust.roots.iter() {
        out.push_str(&root.to_pem());
    }
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
    versioned: bool,
    channels: Vec<Started>,
    /// All certificate blocks, joined.
    pem: String,
    within: bool,
}

/// A channel whose lines are being read.
struct Started {
    channel_id: String,
    genesis: Option<smkit::Sm3Digest>,
    validators: Vec<smkit::Sm3Digest>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if self.within || line == PEM_BEGIN {
            return self.pem_line(line);
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if !self.pem.is_empty() {
            return Err("only certificates may follow a certificate");
        }
        if let Some(version) = line.strip_prefix(VERSION) {
            let first = !std::mem::replace(&mut self.versioned, true);
            return if first && version == FORMAT {
                Ok(())
            } else {
                Err("this verifier reads version 1")
            };
        }
        if !self.versioned {
            return Err("neither the version, nor a certificate, nor a comment");
        }
        self.key(line)
    }

    fn key(&mut self, line: &str) -> Result<(), &'static str> {
        const HEX: &str = "not 64 lower-case hexadecimal digits";
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

    fn pem_line(&mut self, line: &str) -> Result<(), &'static str> {
        match (self.within, line) {
            (true, PEM_BEGIN) => return Err("a certificate within a certificate"),
            (_, PEM_BEGIN) => self.within = true,
            (_, PEM_END) => self.within = false,
            _ => {}
        }
        self.pem.push_str(line);
        self.pem.push('\n');
        Ok(())
    }

    fn finish(self) -> Result<Trust, TrustError> {
        let refuse = |reason| TrustError::Content { reason };
        if self.within {
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
        Trust::new(TrustAnchors::from_pem(&self.pem)?, channels)
    }
}
