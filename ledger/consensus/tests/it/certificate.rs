//! Certificates: what holds and what does not.

use changbai_consensus::{CertificateError, CommitCertificate};
use smkit::sm2::SigningKey;

use crate::support::{CHANNEL, address, block, key, keys, set};

fn certificate(signers: &[SigningKey]) -> CommitCertificate {
    let mut certificate =
        CommitCertificate { height: 5, round: 1, block: block("five"), signatures: Vec::new() };
    for key in signers {
        let vote = certificate.vote_of(CHANNEL, address(key));
        certificate.signatures.push((address(key), key.sign(&vote.sign_bytes())));
    }
    certificate
}

#[test]
fn a_quorum_holds_and_one_less_does_not() {
    for (size, needed) in [(1, 1), (2, 2), (3, 3), (4, 3), (7, 5)] {
        let keys = keys(size);
        let set = set(&keys);
        assert_eq!(certificate(&keys).verify(CHANNEL, &set), Ok(usize::from(size)));
        assert_eq!(certificate(&keys[..needed]).verify(CHANNEL, &set), Ok(needed));
        let signed = needed - 1;
        let expected = CertificateError::BelowQuorum { signed, needed };
        assert_eq!(certificate(&keys[..signed]).verify(CHANNEL, &set), Err(expected));
    }
}

#[test]
fn every_fault_names_its_validator() {
    let keys = keys(4);
    let set = set(&keys);
    let good = certificate(&keys);

    let mut unknown = good.clone();
    unknown.signatures.push(certificate(&[key(9)]).signatures[0]);
    let validator = address(&key(9));
    let expected = CertificateError::UnknownValidator { validator };
    assert_eq!(unknown.verify(CHANNEL, &set), Err(expected));

    let mut duplicate = good.clone();
    duplicate.signatures[3] = duplicate.signatures[0];
    let validator = address(&keys[0]);
    assert_eq!(duplicate.verify(CHANNEL, &set), Err(CertificateError::Duplicate { validator }));

    // Above the quorum, and still: no signature may be wrong.
    let mut wrong = good.clone();
    wrong.signatures[3].1 = wrong.signatures[0].1;
    let validator = address(&keys[3]);
    assert_eq!(wrong.verify(CHANNEL, &set), Err(CertificateError::Signature { validator }));

    let validator = address(&keys[0]);
    let first_is_wrong = Err(CertificateError::Signature { validator });
    assert_eq!(good.verify("other", &set), first_is_wrong);
    for other in [
        CommitCertificate { height: 6, ..good.clone() },
        CommitCertificate { round: 0, ..good.clone() },
        CommitCertificate { block: block("six"), ..good },
    ] {
        assert_eq!(other.verify(CHANNEL, &set), first_is_wrong);
    }
}

#[test]
fn any_flipped_bit_of_the_encoding_is_refused() {
    let keys = keys(1);
    let set = set(&keys);
    let bytes = certificate(&keys).to_bytes().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let verdict = CommitCertificate::from_bytes(&bytes)
            .map(|certificate| certificate.verify(CHANNEL, &set).is_ok());
        assert_ne!(verdict, Ok(true), "bit {bit}");
    }
}
