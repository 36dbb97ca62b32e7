//! Paths of tiles, and entries in one.
#![no_main]

use changbai_merkle::{Tile, read_entries, write_entries};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tile_path"), |data: &[u8]| {
    if let Some(tile) = std::str::from_utf8(data).ok().and_then(|path| Tile::from_path(path).ok()) {
        assert_eq!(tile.to_string().as_bytes(), data);
        let (first, end) = tile.first_and_end().expect("within a tree");
        assert_eq!(end - first, u64::from(tile.width));
        assert!(tile.size_needed().is_some_and(|size| size >= end));
    }
    let Some((width, bytes)) = data.split_first() else { return };
    if let Some(entries) = read_entries(bytes, u16::from(*width)) {
        assert_eq!(write_entries(&entries).expect("short enough"), bytes);
    }
});
