#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod choose;
mod config;
mod evaluation;
mod identity;
mod meta;
mod policy;
mod rules;
mod update;

use smkit::{Random, RandomError, sm2::PrivateKey, sm3};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};

use crate::{Organisation, serialize_identity};

const START: i64 = 1_700_000_000;
const END: i64 = 1_900_000_000;
const NOW: i64 = 1_760_000_000;

/// Reproducible bytes: SM3 of a counter.
struct Seeded(u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            let block = sm3(&self.0.to_be_bytes());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// An organisation with its authority.
struct Org {
    msp_id: String,
    authority: Authority,
    random: Seeded,
}

impl Org {
    fn new(msp_id: &str, seed: u64) -> Self {
        let mut random = Seeded(seed << 32);
        let validity = Validity { not_before: START, not_after: END };
        let subject = subject(&format!("{msp_id} Root"), &[]);
        let authority = Authority::create_root(&subject, validity, &mut random).unwrap();
        Self { msp_id: msp_id.to_owned(), authority, random }
    }

    fn certificate(&mut self, name: &str, units: &[&str]) -> Certificate {
        self.certificate_within(name, units, START, END)
    }

    fn certificate_within(
        &mut self,
        name: &str,
        units: &[&str],
        not_before: i64,
        not_after: i64,
    ) -> Certificate {
        let key = PrivateKey::generate(&mut self.random).unwrap();
        self.authority
            .issue(
                &subject(name, units),
                key.public_key(),
                Profile::Signing,
                Validity { not_before, not_after },
                None,
                &mut self.random,
            )
            .unwrap()
    }

    fn serialized(&mut self, name: &str, units: &[&str]) -> Vec<u8> {
        serialize_identity(&self.msp_id.clone(), &self.certificate(name, units))
    }

    fn organisation(&self) -> Organisation {
        let root = self.authority.certificate().clone();
        let name = format!("{} 机构", self.msp_id);
        Organisation::new(&self.msp_id, &name, TrustAnchors::from_certificates(vec![root]))
    }
}

fn subject(name: &str, units: &[&str]) -> Subject {
    Subject {
        organisational_units: units.iter().map(ToString::to_string).collect(),
        common_name: name.to_owned(),
        ..Subject::default()
    }
}
