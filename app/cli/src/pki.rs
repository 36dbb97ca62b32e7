//! `changbai pki`: an authority in a directory, certificates for others, and a look at any certificate.
//!
//! Whoever is certified by an authority elsewhere (the city's CA) uses `csr` and `install` alone: neither that
//! authority's private key nor its register is ever needed here.

mod files;
mod inspect;
mod issue;
mod serve;

use smkit_pki::Subject;

pub(crate) use self::files::{
    certificates as read_certificates, create, failed, private_key, wrong,
};
pub(crate) use self::inspect::{describe, render, verdict};
use crate::args::pki::Pki;
use crate::error::CliError;
use crate::run::Context;

/// Runs one of the commands.
pub(crate) fn run(args: &Pki, context: &Context) -> Result<u8, CliError> {
    match args {
        Pki::InitCa(args) => issue::init_ca(args, context),
        Pki::Issue(args) => issue::issue(args, context),
        Pki::Csr(args) => issue::csr(args, context),
        Pki::SignCsr(args) => issue::sign_csr(args, context),
        Pki::Install(args) => issue::install(args, context),
        Pki::Revoke(args) => issue::revoke(args, context),
        Pki::Crl(args) => issue::crl(args, context),
        Pki::Serve(args) => serve::run(args, context),
        Pki::Show(args) => inspect::show(args, context),
        Pki::Verify(args) => inspect::verify(args, context),
    }
}

/// Reads `C=CN,O=CCG,OU=NDRC,OU=client,CN=name`: each type once, units repeated; a comma inside a value is written `\,`.
fn subject(text: &str) -> Result<Subject, CliError> {
    let wrong = |reason: &str| CliError::Pki { reason: format!("--subject {text:?}: {reason}") };
    let mut subject = Subject { country: String::new(), ..Subject::default() };
    let text = text.replace("\\,", "\u{1}");
    for part in text.split(',') {
        let (kind, value) = part.split_once('=').ok_or_else(|| wrong("TYPE=VALUE, …"))?;
        let value = value.trim().replace('\u{1}', ",");
        let place = match kind.trim() {
            "C" => &mut subject.country,
            "ST" => &mut subject.state,
            "L" => &mut subject.locality,
            "O" => &mut subject.organisation,
            "CN" => &mut subject.common_name,
            "OU" => {
                subject.organisational_units.push(value);
                continue;
            }
            _ => return Err(wrong("C, ST, L, O, OU and CN are known")),
        };
        if !place.is_empty() {
            return Err(wrong("only OU may be given twice"));
        }
        *place = value;
    }
    Ok(subject)
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn subjects_are_read_strictly() {
        let read = subject("C=CN, O=CCG,OU=NDRC,OU=client,CN=李\\,四").unwrap();
        assert_eq!(read.organisational_units, ["NDRC", "client"]);
        assert_eq!((read.country.as_str(), read.common_name.as_str()), ("CN", "李,四"));
        for wrong in ["", "O", "O=A,O=B", "X=1"] {
            assert!(subject(wrong).is_err(), "{wrong}");
        }
    }
}
