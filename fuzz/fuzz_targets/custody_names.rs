//! Names and addresses of stores, and what a legacy envelope says of itself: one text each, nothing public, no panic.
#![no_main]

use changbai_custody::{Cid, Location, open_legacy, read_legacy_header};
use smkit::sm4::Key;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("custody_names"), |data: &[u8]| {
    // Padding decides, and nothing authenticates: anything may come out, nothing may break.
    drop(open_legacy(&Key::from_bytes([7; 16]), data, None));
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(cid) = text.parse::<Cid>() {
        assert_eq!(cid.to_string(), text);
    }
    let endpoint = match text.parse::<Location>() {
        Ok(Location::S3(location)) => location.endpoint,
        Ok(Location::Ipfs(location)) => location.endpoint,
        _ => {
            drop(read_legacy_header(text));
            return;
        }
    };
    if let Ok(std::net::IpAddr::V4(address)) = endpoint.host.parse() {
        assert!(address.is_loopback() || address.is_private() || address.is_link_local());
    }
});
