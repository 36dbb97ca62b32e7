//! Updates on their way from one administrator to the next.

use super::*;

fn two_changes(city: &City) -> (ConfigUpdate, ChannelConfig) {
    let mut next = city.config.clone();
    next.batch.timeout_ms = 50;
    next.policies.endorsement = GroupPolicy::parse("ANY Endorsement").unwrap();
    (ConfigUpdate::compute(&city.config, &next).unwrap(), next)
}

#[test]
fn a_preview_is_what_it_becomes() {
    let city = City::new(3, 1);
    let (update, next) = two_changes(&city);
    let preview = update.preview(&city.config).unwrap();
    assert_eq!((preview.batch, &preview.policies), (next.batch, &next.policies));
    let applied = apply(&city.config, &city.signed(&update, &[0, 1]), NOW).unwrap();
    assert_eq!(preview, applied);
    assert!(update.preview(&applied).is_err(), "the versions have moved on");
    let stranger = City::new(2, 1);
    let mut other = stranger.config.clone();
    other.channel_id = "other".to_owned();
    assert!(matches!(update.preview(&other), Err(ConfigUpdateError::Channel { .. })));
}

#[test]
fn the_file_keeps_every_byte() {
    let city = City::new(2, 1);
    let (update, _) = two_changes(&city);
    let signatures = vec![update.sign(city.sender(0), b"a"), update.sign(city.sender(1), b"b")];
    let bytes = update.with_signatures(&signatures);
    assert_eq!(ConfigUpdate::read_signed(&bytes).unwrap(), (update.clone(), signatures.clone()));
    for at in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1 << (at % 8);
        // Either no file any more, or one with another content, whose signatures then do not hold.
        if let Ok((other, signed)) = ConfigUpdate::read_signed(&spoilt) {
            assert_ne!((&other, &signed), (&update, &signatures), "byte {at}");
            assert!(other.missing(&city.config, &signed, NOW).is_err(), "byte {at}");
        }
    }
    let crowd = vec![signatures[0].clone(); crate::limits::UPDATE_SIGNATURES_MAX + 1];
    let refused = ConfigUpdate::read_signed(&update.with_signatures(&crowd));
    assert!(matches!(refused, Err(ConfigUpdateError::TooManySignatures { .. })));
}
