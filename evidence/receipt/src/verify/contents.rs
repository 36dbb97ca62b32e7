//! Originals and disclosures against the record.

use changbai_core::Record;

use crate::{
    bundle::{EntryName, HashedOriginal},
    disclosures::disclosures_from_bytes,
    reasons,
    report::Finding,
};

/// Element `original`: every file at hand is one of the record's, and every one of the record's is at hand.
pub(super) fn originals(
    record: Option<&Record>,
    packed: &[HashedOriginal],
    supplied: &[HashedOriginal],
) -> Finding {
    let Some(record) = record else { return Finding::new(reasons::ORIGINAL_UNCHECKED) };
    let mut seen = vec![false; record.originals().len()];
    for file in packed {
        let Some(EntryName::Original { position, .. }) = EntryName::parse(&file.name) else {
            return Finding::new(reasons::ORIGINAL_UNKNOWN).with(&file.name);
        };
        let place = position.wrapping_sub(1);
        let (Some(original), Some(seen)) = (record.originals().get(place), seen.get_mut(place))
        else {
            return Finding::new(reasons::ORIGINAL_UNKNOWN).with(&file.name);
        };
        if file.name != EntryName::original(position, &original.media_type).to_string() {
            return Finding::new(reasons::ORIGINAL_UNKNOWN).with(&file.name);
        }
        if file.sm3 != original.sm3 || file.size_bytes != original.size_bytes {
            return Finding::new(reasons::ORIGINAL_ALTERED).with(&file.name);
        }
        *seen = true;
    }
    for file in supplied {
        let place = record
            .originals()
            .iter()
            .position(|o| o.sm3 == file.sm3 && o.size_bytes == file.size_bytes);
        match place.and_then(|place| seen.get_mut(place)) {
            Some(seen) => *seen = true,
            None => return Finding::new(reasons::ORIGINAL_SUPPLIED_DIFFERS).with(&file.name),
        }
    }
    let missing: Vec<_> = (1_usize..)
        .zip(&seen)
        .filter_map(|(position, seen)| (!seen).then_some(position.to_string()))
        .collect();
    if missing.is_empty() {
        Finding::new(reasons::ORIGINAL_PROVEN).with(seen.len())
    } else {
        Finding::new(reasons::ORIGINAL_MISSING).with(missing.join(", "))
    }
}

/// Element `disclosures`: each opening opens the record's commitment of that name.
pub(super) fn disclosures(record: Option<&Record>, disclosures: Option<&[u8]>) -> Finding {
    let Some(bytes) = disclosures else { return Finding::new(reasons::DISCLOSURES_ABSENT) };
    let Ok(openings) = disclosures_from_bytes(bytes) else {
        return Finding::new(reasons::DISCLOSURES_MALFORMED);
    };
    let Some(record) = record else { return Finding::new(reasons::DISCLOSURES_UNCHECKED) };
    for opening in &openings {
        match record.parts().personal.get(&opening.name) {
            None => return Finding::new(reasons::DISCLOSURES_UNKNOWN).with(&opening.name),
            Some(commitment) if *commitment != opening.commitment() => {
                return Finding::new(reasons::DISCLOSURES_WRONG).with(&opening.name);
            }
            Some(_) => {}
        }
    }
    Finding::new(reasons::DISCLOSURES_PROVEN).with(openings.len())
}
