//! `changbai verify`: judges a bundle, a certificate as PDF or OFD, or a signed verdict, offline. No socket and no data
//! directory; the bundle and the originals are read as streams, whatever their size. The clock serves one question only:
//! whether a document claims to have been signed in the future.

mod answer;

use std::{io::Read, path::Path};

use changbai_certificate::{Grounds, SNIFF_BYTES, judge_document, sniff, verify_bundle_reader};
use changbai_receipt::{
    HashedOriginal, Trust, hash_original,
    limits::{CERTIFICATE_BYTES_MAX, SIGNED_VERDICT_BYTES_MAX},
};

use self::answer::Answer;
use crate::{
    args,
    error::{CliError, chain},
    lang::Lang,
    messages::{Message, word},
    output,
    run::Context,
    stream::{self, Metered},
    time,
};

/// Prints the verdict with a reason for each element; the exit code is the verdict's.
pub(crate) fn run(args: &args::Verify, context: &Context) -> Result<u8, CliError> {
    let lang = context.lang;
    let (originals, unread_original) = split(originals(&args.originals, lang));
    let (trust, unread_trust) = split(args.trust.as_deref().map(trust).transpose());
    let mut answer =
        judge(&args.bundle, &originals.unwrap_or_default(), trust.flatten().as_ref(), lang);
    // What could not be read is not held against the bundle, but nothing is verified without it.
    for (element, error) in [("original", unread_original), ("trust", unread_trust)] {
        if let Some(error) = error {
            answer.could_not_read(element, &error, lang);
        }
    }
    if args.json {
        output::json(&answer)?;
    } else {
        output::line(&answer.render(args.trust.is_none(), context))?;
    }
    Ok(answer.verdict.exit_code())
}

/// The code of an input that could not be read.
const UNREADABLE: &str = "CL-4040";

fn judge(path: &Path, originals: &[HashedOriginal], trust: Option<&Trust>, lang: Lang) -> Answer {
    let judged = stream::open(path).and_then(|(mut file, size_bytes)| {
        let mut head = Vec::new();
        let started = (&mut file).take(SNIFF_BYTES as u64).read_to_end(&mut head);
        started.map_err(CliError::read(path))?;
        let mut whole = Metered::new(file, word(lang, Message::Checking), size_bytes);
        let mut whole = head.as_slice().chain(&mut whole);
        let now_unix_seconds = i64::try_from(time::unix_ms() / 1_000).unwrap_or(i64::MAX);
        let grounds = Grounds { trust, now_unix_seconds, lists: &[], originals };
        match sniff(&head) {
            Some(format) => {
                let bytes = read_bounded(&mut whole, CERTIFICATE_BYTES_MAX, path)?;
                let report = judge_document(format, &bytes, &grounds);
                Ok(report.map_or_else(|| Answer::unread(lang), |r| Answer::of_document(r, lang)))
            }
            None if head.starts_with(b"{") => {
                let bytes = read_bounded(&mut whole, SIGNED_VERDICT_BYTES_MAX as u64, path)?;
                Ok(Answer::of_verdict(&bytes, originals, trust, lang))
            }
            None => Ok(Answer::of(verify_bundle_reader(&mut whole, &grounds), lang)),
        }
    });
    judged.unwrap_or_else(|error| {
        let mut answer = Answer::unread(lang);
        answer.could_not_read("container", &error, lang);
        answer
    })
}

fn read_bounded(from: &mut dyn Read, bytes_max: u64, path: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(CliError::read(path))?;
    if bytes.len() as u64 > bytes_max {
        return Err(CliError::read(path)(std::io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

fn originals(paths: &[std::path::PathBuf], lang: Lang) -> Result<Vec<HashedOriginal>, CliError> {
    let hash = |path: &std::path::PathBuf| {
        let (file, size_bytes) = stream::open(path)?;
        let mut reader = Metered::new(file, word(lang, Message::Hashing), size_bytes);
        hash_original(&path.to_string_lossy(), &mut reader).map_err(CliError::read(path))
    };
    paths.iter().map(hash).collect()
}

fn trust(path: &Path) -> Result<Trust, CliError> {
    let text = stream::read_small(path)?;
    Trust::parse(&text).map_err(|error| CliError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, chain(&error)),
    })
}

fn split<T>(result: Result<T, CliError>) -> (Option<T>, Option<CliError>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

#[cfg(test)]
mod tests;
