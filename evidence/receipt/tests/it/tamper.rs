//! Whatever byte is changed, cut off or added: never verified, never a panic.

use changbai_receipt::{Bundle, HashedOriginal, Trust, Verdict, fuzz, verify, verify_reader};
use proptest::prelude::*;

use crate::fixture::{City, hashed, pack};

/// Runs `case` for every place below `len` on all cores.
fn everywhere(len: usize, case: impl Fn(usize) + Sync) {
    const THREADS: usize = 4;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let case = &case;
            scope.spawn(move || (thread..len).step_by(THREADS).for_each(case));
        }
    });
}

/// The byte at `place` with one bit changed, another one at each place.
fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1 << (place % 8);
    bytes
}

fn refused(bundle: &[u8], supplied: &[HashedOriginal], trust: &Trust, what: &str) {
    let report = verify_reader(&mut &*bundle, supplied, Some(trust));
    assert_eq!(report.verdict, Verdict::NotVerified, "{what}: {}", report.to_json());
}

#[test]
fn every_byte_of_the_bundle_file() {
    for validators in [1, 4] {
        let city = City::new(validators);
        let bundle = city.bundle();
        let supplied = city.supplied();
        everywhere(bundle.len(), |place| {
            refused(&flipped(&bundle, place), &supplied, &city.trust, &format!("byte {place}"));
        });
        // All eight bits and some whole values of the container's own bytes.
        for place in (0..60).chain(bundle.len() - 400..bundle.len()) {
            for value in (0..8).map(|bit| bundle[place] ^ (1 << bit)).chain([0, 0x20, 0xff]) {
                if value != bundle[place] {
                    let mut altered = bundle.clone();
                    altered[place] = value;
                    refused(&altered, &supplied, &city.trust, &format!("byte {place} = {value}"));
                }
            }
        }
    }
}

#[test]
fn every_length_and_anything_appended_or_prepended() {
    let city = City::new(1);
    let bundle = city.bundle();
    everywhere(bundle.len(), |length| {
        refused(&bundle[..length], &[], &city.trust, &format!("cut at {length}"));
        if length % 16 == 1 {
            refused(&bundle[length..], &[], &city.trust, &format!("without {length}"));
        }
    });
    for extra in [&b"\0"[..], b"PK\x05\x06", b"PK\x01\x02", b"\n", &bundle] {
        refused(&[&bundle, extra].concat(), &[], &city.trust, "appended");
        refused(&[extra, &bundle].concat(), &[], &city.trust, "prepended");
    }
}

#[test]
fn every_byte_of_the_record_packed_again() {
    let city = City::new(1);
    let (record, receipt) = (city.record.to_bytes(), city.receipt());
    let disclosures = city.disclosures();
    everywhere(record.len(), |place| {
        let bundle = pack(&flipped(&record, place), &receipt, Some(&disclosures), &city.originals);
        refused(&bundle, &[], &city.trust, &format!("record byte {place}"));
    });
}

#[test]
fn every_byte_of_the_receipt_packed_again() {
    for validators in [1, 4] {
        let city = City::new(validators);
        let (record, receipt) = (city.record.to_bytes(), city.receipt());
        everywhere(receipt.len(), |place| {
            let bundle = pack(&record, &flipped(&receipt, place), None, &city.originals);
            refused(&bundle, &[], &city.trust, &format!("receipt byte {place}"));
        });
    }
}

#[test]
fn every_byte_of_disclosures_and_originals_packed_again() {
    let city = City::new(1);
    let (record, receipt) = (city.record.to_bytes(), city.receipt());
    let disclosures = city.disclosures();
    everywhere(disclosures.len(), |place| {
        let altered = flipped(&disclosures, place);
        let bundle = pack(&record, &receipt, Some(&altered), &city.originals);
        refused(&bundle, &[], &city.trust, &format!("disclosures byte {place}"));
    });
    for which in 0..city.originals.len() {
        for place in 0..city.originals[which].len() {
            let mut originals = city.originals.clone();
            originals[which] = flipped(&originals[which], place);
            let bundle = pack(&record, &receipt, Some(&disclosures), &originals);
            refused(&bundle, &[], &city.trust, "original");
        }
    }
}

#[test]
fn every_byte_and_length_of_a_supplied_original() {
    let city = City::new(1);
    let bare = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    let original = &city.originals[0];
    let others = city.supplied();
    for place in 0..original.len() {
        let longer = [&original[..place], b"\n", &original[place..]].concat();
        for altered in [flipped(original, place), original[..place].to_vec(), longer] {
            let supplied = [hashed(&altered), others[0].clone(), others[1].clone()];
            for files in [&supplied[..1], &supplied[..]] {
                let report = verify(&bare, files, Some(&city.trust));
                assert_eq!(report.verdict, Verdict::NotVerified);
                assert_eq!(report.element("original").unwrap().code, "VF-1702");
            }
        }
    }
}

#[test]
fn receipts_cut_or_extended() {
    let city = City::new(1);
    let receipt = city.receipt();
    everywhere(receipt.len(), |length| {
        let bundle = pack(city.record.as_bytes(), &receipt[..length], None, &city.originals);
        refused(&bundle, &[], &city.trust, &format!("receipt cut at {length}"));
    });
    for extra in [&b" "[..], b"\n", b"\0", b"{}", b","] {
        for receipt in [[&receipt, extra].concat(), [extra, &receipt].concat()] {
            let bundle = pack(city.record.as_bytes(), &receipt, None, &city.originals);
            refused(&bundle, &[], &city.trust, "receipt extended");
        }
    }
}

/// One honest bundle and receipt for all random cases.
fn honest() -> &'static (City, Vec<u8>, Vec<u8>) {
    static HONEST: std::sync::OnceLock<(City, Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
    HONEST.get_or_init(|| {
        let city = City::new(4);
        let (bundle, receipt) = (city.bundle(), city.receipt());
        (city, bundle, receipt)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        fuzz::bundle(&data);
        fuzz::receipt(&data);
        fuzz::disclosures(&data);
    }

    #[test]
    fn many_changes_at_once(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        of_receipt: bool,
    ) {
        let (city, bundle, receipt) = honest();
        let mut altered = if of_receipt { receipt.clone() } else { bundle.clone() };
        for (place, value) in changes {
            *place.get_mut(&mut altered[..]) = value;
        }
        let file = if of_receipt {
            pack(city.record.as_bytes(), &altered, None, &city.originals)
        } else {
            altered.clone()
        };
        if altered != *receipt && altered != *bundle {
            let report = verify_reader(&mut file.as_slice(), &[], Some(&city.trust));
            prop_assert_ne!(report.verdict, Verdict::Verified);
            fuzz::bundle(&file);
            fuzz::receipt(&altered);
        }
    }

    #[test]
    fn a_splice_of_two_receipts(cut in any::<prop::sample::Index>(), back: bool) {
        let (city, _, receipt) = honest();
        let mut other = city.clone();
        other.header_time_ms += 1;
        let other = other.receipt();
        let cut = cut.index(receipt.len().min(other.len()));
        let spliced = if back {
            [&other[..cut], &receipt[cut..]].concat()
        } else {
            [&receipt[..cut], &other[cut..]].concat()
        };
        if spliced != *receipt && spliced != other {
            let file = pack(city.record.as_bytes(), &spliced, None, &city.originals);
            let report = verify_reader(&mut file.as_slice(), &[], Some(&city.trust));
            prop_assert_ne!(report.verdict, Verdict::Verified);
        }
    }
}
