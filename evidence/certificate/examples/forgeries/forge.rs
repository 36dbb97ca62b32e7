//! The forgeries themselves.

use std::{
    error::Error,
    io::{self, Cursor, Write},
};

use changbai_receipt::{Bundle, BundleParts, PAGE, Receipt, read_bundle, write_bundle};
use changbai_wire::{ValidatorAddress, Vote, VoteKind, validators_hash};
use smkit::{
    OsRandom,
    sm2::{PrivateKey, SignerId, SigningKey},
};
use smkit_pki::{Authority, Profile, Subject, Validity};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// One forged bundle with the original that goes with it.
pub(crate) struct Forgery {
    /// Short name, in order.
    pub(crate) name: &'static str,
    /// What was done.
    #[allow(dead_code, reason = "the example prints it; the tests do not")]
    pub(crate) what: &'static str,
    /// The element that must fail.
    pub(crate) element: &'static str,
    /// The bundle.
    pub(crate) bundle: Vec<u8>,
    /// The original beside it.
    pub(crate) original: Vec<u8>,
}

type Forged<T> = Result<T, Box<dyn Error>>;

/// What can be forged of this bundle; all of them where it holds a checkpoint and both certificate documents.
pub(crate) fn forgeries(bundle: &[u8], original: &[u8]) -> Forged<Vec<Forgery>> {
    let read = read_bundle(&mut &*bundle)?;
    let mut all = Vec::new();
    let mut add = |name, element, what, bundle: Vec<u8>, original: &[u8]| {
        all.push(Forgery { name, what, element, bundle, original: original.to_vec() });
    };
    let honest = pack(&read)?;

    let changed = flipped(original, original.len() / 2);
    add("01-original", "original", "one bit of the original", honest.clone(), &changed);

    let mut forged = read.clone();
    forged.record = replaced(&read.record, "\"at_ms\":1", "\"at_ms\":2")?;
    add("02-record", "record", "the record is of another time", pack(&forged)?, original);

    let signature = with_receipt(&read, |receipt| {
        let first = receipt.signatures.first().copied().ok_or("no signature")?;
        let key = stranger()?;
        let signature = key.sign(b"something else");
        receipt.signatures = vec![changbai_receipt::CommitSignature { signature, ..first }];
        Ok(())
    })?;
    add("03-signature", "header", "a validator's signature by another key", signature, original);

    let path = with_receipt(&read, |receipt| {
        receipt.inclusion.index = receipt.inclusion.index.wrapping_add(1);
        Ok(())
    })?;
    add("04-path", "inclusion", "another place in the ledger's log", path, original);

    let dated = with_receipt(&read, |receipt| {
        receipt.header.time_ms = receipt.header.time_ms.saturating_sub(86_400_000);
        Ok(())
    })?;
    add("05-dated-back", "header", "the header is dated back by a day", dated, original);

    let channel = with_receipt(&read, own_channel)?;
    add(
        "06-own-channel",
        "validators",
        "a channel of the forger's own, under its name",
        channel,
        original,
    );

    if let Some(pdf) = &read.certificate_pdf {
        let mut forged = read.clone();
        forged.certificate_pdf = Some(flipped(pdf, pdf.len() / 3));
        add("07-pdf", "seal", "one byte of the certificate as PDF", pack(&forged)?, original);
    }
    if let Some(ofd) = &read.certificate_ofd {
        let mut forged = read.clone();
        forged.certificate_ofd = Some(with_member(ofd)?);
        add(
            "08-ofd",
            "seal",
            "a further member in the certificate as OFD",
            pack(&forged)?,
            original,
        );
    }

    let mut forged = read.clone();
    let lie = PAGE.replace("any(\"failed\")", "false").replace("any(\"unchecked\")", "false");
    forged.page = Some(lie.into_bytes());
    add("09-page", "container", "a verify.html that never finds fault", pack(&forged)?, original);

    if let Some(checkpoint) = &read.checkpoint {
        let mut forged = read.clone();
        forged.checkpoint = Some(another_root(checkpoint)?);
        add(
            "10-checkpoint",
            "log_consistency",
            "a checkpoint of another log",
            pack(&forged)?,
            original,
        );
    }
    let extended = [&honest[..], b"\n"].concat();
    add("11-appended", "container", "a byte after the end", extended, original);

    let endorsed = with_receipt(&read, |receipt| {
        let last = receipt.envelope.len().saturating_sub(1);
        receipt.envelope = flipped(&receipt.envelope, last);
        receipt.leaf.envelope = changbai_wire::envelope_digest(&receipt.envelope);
        Ok(())
    })?;
    add("12-transaction", "transaction", "the submitter's signature", endorsed, original);
    Ok(all)
}

/// A validator with a certificate of the forger's own root takes the place of the channel's.
fn own_channel(receipt: &mut Receipt) -> Forged<()> {
    let seconds = i64::try_from(receipt.header.time_ms / 1_000)?;
    let validity =
        Validity { not_before: seconds - 86_400, not_after: seconds.saturating_add(31_536_000) };
    let subject = |name: &str, units: &[&str]| Subject {
        country: "CN".to_owned(),
        organisation: "长白链".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        common_name: name.to_owned(),
        ..Subject::default()
    };
    let root = Authority::create_root(&subject("root", &[]), validity, &mut OsRandom)?;
    let key = PrivateKey::generate(&mut OsRandom)?;
    let node = subject("node", &["peer", "orderer"]);
    let certificate =
        root.issue(&node, key.public_key(), Profile::Signing, validity, None, &mut OsRandom)?;
    let validator = ValidatorAddress::for_key(key.public_key());
    let channel = receipt.header.channel_id.clone();
    receipt.header.validators_hash = validators_hash(&channel, &[(validator, key.public_key())]);
    if let Some(first) = receipt.configurations.first_mut() {
        first.header.validators_hash = receipt.header.validators_hash;
        first.envelope = None;
    }
    receipt.configurations.truncate(1);
    let vote = Vote {
        channel_id: channel,
        kind: VoteKind::Precommit,
        height: receipt.header.number,
        round: receipt.round,
        block: Some(receipt.header.hash()),
        validator,
    };
    let key = SigningKey::new(key, SignerId::DEFAULT)?;
    let signature = key.sign(&vote.sign_bytes());
    receipt.signatures = vec![changbai_receipt::CommitSignature { validator, signature }];
    receipt.validators = vec![certificate];
    receipt.anchors.push(root.certificate().sm3());
    receipt.anchors.sort_unstable();
    Ok(())
}

fn stranger() -> Forged<SigningKey> {
    Ok(SigningKey::new(PrivateKey::generate(&mut OsRandom)?, SignerId::DEFAULT)?)
}

/// The bundle with another receipt, in its one form.
fn with_receipt(bundle: &Bundle, change: impl Fn(&mut Receipt) -> Forged<()>) -> Forged<Vec<u8>> {
    let mut receipt = Receipt::from_bytes(&bundle.receipt)?;
    change(&mut receipt)?;
    let mut forged = bundle.clone();
    forged.receipt = receipt.to_bytes()?;
    pack(&forged)
}

/// Packs all but originals, in the container's one form.
fn pack(bundle: &Bundle) -> Forged<Vec<u8>> {
    let parts = BundleParts {
        record: &bundle.record,
        receipt: &bundle.receipt,
        disclosures: bundle.disclosures.as_deref(),
        batch: bundle.batch.as_deref(),
        checkpoint: bundle.checkpoint.as_deref(),
        process: bundle.process.as_deref(),
        certificate_pdf: bundle.certificate_pdf.as_deref(),
        certificate_ofd: bundle.certificate_ofd.as_deref(),
        page: bundle.page.as_deref(),
        originals: Vec::new(),
    };
    let mut out = Vec::new();
    write_bundle(&mut out, &parts, &mut |_| Err(io::ErrorKind::NotFound.into()))?;
    Ok(out)
}

fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    bytes
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Forged<Vec<u8>> {
    let text = std::str::from_utf8(bytes)?;
    let changed = text.replacen(from, to, 1);
    if changed == text { Err(format!("no {from}").into()) } else { Ok(changed.into_bytes()) }
}

/// The checkpoint's JSON with one character of its root changed; the note is a JSON string of lines.
fn another_root(checkpoint: &[u8]) -> Forged<Vec<u8>> {
    let text = std::str::from_utf8(checkpoint)?;
    let at = text.find("\\n").and_then(|first| {
        let second = text.get(first + 2..)?.find("\\n")?;
        Some(first + 2 + second + 2)
    });
    let at = at.ok_or("no note in the checkpoint")?;
    let mut changed = checkpoint.to_vec();
    let byte = changed.get_mut(at).ok_or("no root in the note")?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    Ok(changed)
}

/// The package with one more stored member.
fn with_member(package: &[u8]) -> Forged<Vec<u8>> {
    let mut writer = ZipWriter::new_append(Cursor::new(package.to_vec()))?;
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.start_file("Doc_0/extra.xml", stored)?;
    writer.write_all(b"<extra/>")?;
    Ok(writer.finish()?.into_inner())
}
