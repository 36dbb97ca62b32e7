//! Elements `log_consistency`, `witness` and `time_token`: what a checkpoint of the log adds to a receipt.

use std::time::Duration;

use changbai_core::{CivilDate, log_origin};
use changbai_merkle::{Checkpoint, Signed, VerifierKey};
use changbai_wire::time::UnixMillis;
use smkit::sm3;
use smkit_pki::{Certificate, Purpose, TrustAnchors, Validator, verify_chain};

use crate::{
    checkpoint::CheckpointFile,
    reasons::{self, Reason},
    receipt::Receipt,
    report::Finding,
    trust::Trust,
};

/// Units of a certificate whose key may sign checkpoints.
const UNITS: [&str; 3] = ["log", "peer", "orderer"];
/// How far clocks may be apart that state no bound.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// The three elements.
pub(super) fn check(
    bytes: Option<&[u8]>,
    receipt: Option<&Receipt>,
    trust: Option<&Trust>,
) -> [Finding; 3] {
    let Some(bytes) = bytes else { return without(trust) };
    let Some(receipt) = receipt else { return unread(reasons::LOG_CONSISTENCY_UNREAD) };
    let Ok(file) = CheckpointFile::from_bytes(bytes) else {
        return unread(reasons::LOG_CONSISTENCY_MALFORMED);
    };
    let checkpoint = match extends(&file, receipt, trust) {
        Ok(checkpoint) => checkpoint,
        Err(reason) => return unread(reason),
    };
    [log(&file, &checkpoint, receipt, trust), witnesses(&file, trust), token(&file, receipt, trust)]
}

/// No checkpoint, which is fine unless the reader insists on witnesses.
fn without(trust: Option<&Trust>) -> [Finding; 3] {
    let wanted = trust.map_or(0, Trust::witnesses_min);
    [
        Finding::new(reasons::LOG_CONSISTENCY_ABSENT),
        if wanted == 0 {
            Finding::new(reasons::WITNESS_ABSENT)
        } else {
            Finding::new(reasons::WITNESS_WANTED).with(wanted)
        },
        Finding::new(reasons::TIME_TOKEN_ABSENT),
    ]
}

/// A checkpoint that says nothing about this receipt says nothing through witnesses and tokens either.
fn unread(reason: &'static Reason) -> [Finding; 3] {
    [
        Finding::new(reason),
        Finding::new(reasons::WITNESS_UNCHECKED),
        Finding::new(reasons::TIME_TOKEN_UNCHECKED),
    ]
}

/// The checkpoint, if it is of the receipt's log and the header's tree is provably its beginning.
fn extends(
    file: &CheckpointFile,
    receipt: &Receipt,
    trust: Option<&Trust>,
) -> Result<Checkpoint, &'static Reason> {
    let checkpoint = Checkpoint::of(&file.note).map_err(|_| reasons::LOG_CONSISTENCY_MALFORMED)?;
    let header = &receipt.header;
    let channel = &header.channel_id;
    let anchored = trust.and_then(|trust| trust.channel(channel)).map(|channel| channel.genesis);
    let genesis = receipt.configurations.first().map(|link| link.header.hash()).or(anchored);
    let same = match genesis {
        Some(genesis) => checkpoint.origin == log_origin(channel, &genesis),
        // Which channel of that id is not known, from nowhere: the proof below ties the trees together.
        None => checkpoint.origin.starts_with(&format!("changbai/log/{channel}/")),
    };
    if !same {
        return Err(reasons::LOG_CONSISTENCY_OTHER_LOG);
    }
    let origin = checkpoint.origin.clone();
    let state = Checkpoint { origin, size: header.log_size, root: header.log_root };
    let proof = state.extended_by(&checkpoint, &file.consistency);
    proof.map_err(|_| reasons::LOG_CONSISTENCY_REWRITTEN)?;
    Ok(checkpoint)
}

/// Who signed the checkpoint for the log.
fn log(
    file: &CheckpointFile,
    checkpoint: &Checkpoint,
    receipt: &Receipt,
    trust: Option<&Trust>,
) -> Finding {
    let proven = || {
        let (from, to) = (receipt.header.log_size, checkpoint.size);
        Finding::new(reasons::LOG_CONSISTENCY_PROVEN).with(from).with(to)
    };
    // A key that the reader trusts by itself.
    for key in trust.map(Trust::log_keys).unwrap_or_default() {
        match key.check(&file.note) {
            Ok(Some(_)) => return proven(),
            Ok(None) => {}
            Err(_) => return Finding::new(reasons::LOG_CONSISTENCY_SIGNATURE),
        }
    }
    let Some((leaf, above)) = file.certificates.split_first() else {
        return Finding::new(reasons::LOG_CONSISTENCY_UNSIGNED);
    };
    let key = VerifierKey::new(&checkpoint.origin, Signed::Log, leaf.public_key());
    match key.map(|key| key.check(&file.note)) {
        Ok(Ok(Some(_))) => {}
        _ => return Finding::new(reasons::LOG_CONSISTENCY_SIGNATURE),
    }
    let units = leaf.organisational_units();
    if !UNITS.iter().any(|unit| units.iter().any(|own| own == unit)) {
        return Finding::new(reasons::LOG_CONSISTENCY_CERTIFICATE).with(leaf.subject());
    }
    let Some(roots) = trust.map(Trust::roots).filter(|roots| !roots.is_empty()) else {
        return Finding::new(reasons::LOG_CONSISTENCY_NO_ROOTS);
    };
    if chains(leaf, above, receipt, roots) {
        proven()
    } else {
        Finding::new(reasons::LOG_CONSISTENCY_CERTIFICATE).with(leaf.subject())
    }
}

/// Whether the log's certificate leads to a root. The checkpoint has no time of its own: the certificate is judged at
/// the header's, or where it is younger, at its first second.
fn chains(
    leaf: &Certificate,
    above: &[Certificate],
    receipt: &Receipt,
    roots: &TrustAnchors,
) -> bool {
    let header_s = i64::try_from(receipt.header.time_ms / 1_000).unwrap_or(i64::MAX);
    let at_s = header_s.max(leaf.not_before());
    let between: Vec<_> = above.iter().chain(&receipt.intermediates).cloned().collect();
    verify_chain(leaf, &between, roots, at_s, Purpose::Signing).is_ok()
}

/// Who of the reader's witnesses cosigned.
fn witnesses(file: &CheckpointFile, trust: Option<&Trust>) -> Finding {
    let known = trust.map(Trust::witnesses).unwrap_or_default();
    let Some(trust) = trust.filter(|_| !known.is_empty()) else {
        // The log's own is no cosignature.
        return match file.note.signatures().len().saturating_sub(1) {
            0 => Finding::new(reasons::WITNESS_ABSENT),
            others => Finding::new(reasons::WITNESS_UNKNOWN).with(others),
        };
    };
    let mut cosigned = Vec::new();
    for witness in known {
        match witness.check(&file.note) {
            Ok(Some(time_s)) => cosigned.push(format!(
                "{} ({})",
                witness.name(),
                local(Duration::from_secs(time_s))
            )),
            Ok(None) => {}
            Err(_) => return Finding::new(reasons::WITNESS_SIGNATURE).with(witness.name()),
        }
    }
    let wanted = trust.witnesses_min();
    if cosigned.is_empty() && wanted == 0 {
        return Finding::new(reasons::WITNESS_ABSENT);
    }
    let reason =
        if cosigned.len() >= wanted { reasons::WITNESS_PROVEN } else { reasons::WITNESS_FEW };
    Finding::new(reason).with(cosigned.len()).with(wanted).with(cosigned.join(", "))
}

/// What the time-stamp token proves: the checkpoint, and so the record, existed at its time.
fn token(file: &CheckpointFile, receipt: &Receipt, trust: Option<&Trust>) -> Finding {
    let Some(token) = &file.token else { return Finding::new(reasons::TIME_TOKEN_ABSENT) };
    let imprint = sm3(file.note.text().as_bytes());
    if *token.imprint() != imprint {
        return Finding::new(reasons::TIME_TOKEN_IMPRINT);
    }
    let Some(roots) = trust.map(Trust::tsa_roots).filter(|roots| !roots.is_empty()) else {
        return Finding::new(reasons::TIME_TOKEN_NO_ROOTS);
    };
    let validator = Validator::admitting_all(roots.clone());
    let between = [file.certificates.as_slice(), &receipt.intermediates].concat();
    let stamp = match token.verify(&imprint, &validator, &between) {
        Ok(stamp) => stamp,
        Err(error) => {
            return Finding::new(reasons::TIME_TOKEN_REFUSED).with(error.reason().code).with(error);
        }
    };
    // The checkpoint is younger than the header: a token from before it contradicts the header's time.
    let header = &receipt.header;
    let bound = Duration::from_micros(header.time_bound_us.into());
    let bound = if bound.is_zero() { CLOCKS_APART } else { bound };
    let accuracy = stamp.accuracy.map_or(CLOCKS_APART, smkit_pki::Accuracy::bound);
    let latest = stamp.gen_time.saturating_add(accuracy);
    let earliest = Duration::from_millis(header.time_ms).saturating_sub(bound);
    let time = local(stamp.gen_time);
    if latest < earliest {
        return Finding::new(reasons::TIME_TOKEN_EARLIER)
            .with(time)
            .with(local(Duration::from_millis(header.time_ms)));
    }
    let authority = stamp.path.leaf().map(Certificate::subject).unwrap_or_default();
    let accuracy = stamp.accuracy.map(|accuracy| accuracy.bound().as_micros().to_string());
    let finding = Finding::new(reasons::TIME_TOKEN_PROVEN).with(time).with(authority);
    finding.with(accuracy.unwrap_or_else(|| "-".to_owned()))
}

/// Time of day in China, as a reader in a court compares it.
fn local(since_1970: Duration) -> String {
    // A part of a millisecond is rounded up: "no later than" stays true.
    let at_ms = u64::try_from(since_1970.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let Ok(date) = CivilDate::in_china(UnixMillis(at_ms)) else { return "?".to_owned() };
    let (second, millis) = ((at_ms / 1_000).saturating_add(8 * 3_600) % 86_400, at_ms % 1_000);
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} (UTC+8)")
}
