//! Damage at rest: never a wrong block, never a silent loss.

use super::*;

/// Every block read is right, and none up to `floor` is missing — or the log is refused with the
/// name of a segment file.
fn judge(files: &FaultyFiles, floor: Option<u64>, what: &str) -> bool {
    match open(files, floor) {
        Err(StorageError::Corrupt { file, .. }) => {
            assert!(file.starts_with(DIR), "{what}");
            assert!(file.extension().is_some(), "{what}: {}", file.display());
            false
        }
        Err(e) => panic!("{what}: {e}"),
        Ok((log, recovery)) => {
            assert!(recovery.height >= floor, "{what}");
            for (number, _, bytes) in all(&log, 0) {
                assert_eq!(bytes, block(number), "{what}");
            }
            true
        }
    }
}

#[test]
fn every_flip_at_or_below_the_floor_is_refused() {
    let (files, _) = filled(7);
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        for at in 0..content.len() {
            let mut bad = content.clone();
            bad[at] ^= 1 << (at % 8);
            let disk = files.crash(Survive::Everything);
            disk.set_content(&path, Some(bad));
            let what = format!("{} byte {at}", path.display());
            // A flip in a digest that the checksum covers is found at start, too.
            assert!(!judge(&disk, Some(6), &what), "{what} was not noticed");
            let StorageError::Corrupt { file, offset, .. } = open(&disk, Some(6)).unwrap_err()
            else {
                panic!()
            };
            assert_eq!(file, path);
            assert!(offset <= at as u64 && at as u64 - offset < 600, "{what}: {offset}");
        }
    }
}

#[test]
fn a_flip_above_the_floor_costs_at_most_the_last_block() {
    let (files, positions) = filled(7);
    let last = positions[6];
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        for at in 0..content.len() {
            let mut bad = content.clone();
            bad[at] ^= 0x10;
            let disk = files.crash(Survive::Everything);
            disk.set_content(&path, Some(bad));
            let opened = judge(&disk, Some(5), &format!("{} byte {at}", path.display()));
            let in_last = path.ends_with(segment_name(last.segment)) && at as u32 >= last.offset;
            assert_eq!(opened, in_last, "{} byte {at}", path.display());
        }
    }
}

#[test]
fn every_cut_below_the_floor_is_refused() {
    let (files, positions) = filled(7);
    let last = positions[6];
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        for length in 0..content.len() {
            let disk = files.crash(Survive::Everything);
            disk.set_content(&path, Some(content[..length].to_vec()));
            let what = format!("{} cut to {length}", path.display());
            assert!(!judge(&disk, Some(6), &what), "{what} was not noticed");
            let tail = path.ends_with(segment_name(last.segment)) && length as u32 >= last.offset;
            assert_eq!(judge(&disk, Some(5), &what), tail, "{what}");
        }
        let disk = files.crash(Survive::Everything);
        disk.set_content(&path, None);
        assert!(!judge(&disk, Some(6), &format!("{} removed", path.display())));
    }
}

#[test]
fn zeroed_ranges_are_refused() {
    let (files, positions) = filled(7);
    let last = positions[6];
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        for length in [1, 21, 64, 512] {
            for at in (0..content.len()).step_by(7) {
                let mut bad = content.clone();
                let end = (at + length).min(bad.len());
                bad[at..end].fill(0);
                if bad == content {
                    continue;
                }
                let disk = files.crash(Survive::Everything);
                disk.set_content(&path, Some(bad));
                let what = format!("{} zeroed {at}..{end}", path.display());
                assert!(!judge(&disk, Some(6), &what), "{what}");
                let tail = path.ends_with(segment_name(last.segment)) && at as u32 >= last.offset;
                assert_eq!(judge(&disk, Some(5), &what), tail, "{what}");
            }
        }
    }
}

#[test]
fn a_torn_last_frame_is_cut_at_every_byte() {
    let (files, positions) = filled(6);
    let last = positions[5];
    let path = Path::new(DIR).join(segment_name(last.segment));
    let content = files.content(&path).unwrap();
    for length in last.offset as usize..content.len() {
        for zeros in [0, 1, 300] {
            let disk = files.crash(Survive::Everything);
            let mut torn = content[..length].to_vec();
            torn.resize(length + zeros, 0);
            if torn.len() > content.len() {
                continue;
            }
            disk.set_content(&path, Some(torn.clone()));
            let (mut log, recovery) = open(&disk, Some(4)).unwrap();
            assert_eq!(recovery.height, Some(4));
            let cut = torn.len() as u64 - u64::from(last.offset);
            assert_eq!(recovery.truncated.map_or(0, |t| t.bytes), cut);
            // The same block is written again, and everything is as if nothing had happened.
            append(&mut log, 5).unwrap();
            assert_eq!(disk.content(&path).unwrap(), content);
        }
    }
}

#[test]
fn anything_behind_a_bad_frame_makes_it_damage() {
    let (files, positions) = filled(8);
    let (victim, follower) = (positions[6], positions[7]);
    assert_eq!(victim.segment, follower.segment, "both in the tail segment");
    let path = Path::new(DIR).join(segment_name(victim.segment));
    let content = files.content(&path).unwrap();
    for at in victim.offset..follower.offset {
        let mut bad = content.clone();
        bad[at as usize] ^= 0xff;
        let disk = files.crash(Survive::Everything);
        disk.set_content(&path, Some(bad));
        // Even with a floor far below: block 7 is there to be seen.
        assert!(!judge(&disk, Some(2), &format!("byte {at}")));
    }
}

#[test]
fn a_lost_consensus_log_is_noticed() {
    let (files, _) = filled(3);
    assert!(matches!(
        open(&files, None),
        Err(StorageError::FloorMissing { height: 2, floor: None })
    ));
    let old = open(&files, Some(0));
    assert!(matches!(old, Err(StorageError::FloorMissing { height: 2, floor: Some(0) })));
    let (files, _) = filled(2);
    assert!(open(&files, None).is_ok(), "block 1 may be the first under way");
    let empty = FaultyFiles::new();
    assert!(is_corrupt(&open(&empty, Some(0)).unwrap_err()), "the block log is gone");
}

#[test]
fn frames_out_of_place_are_refused() {
    let (files, positions) = filled(8);
    let path = Path::new(DIR).join(segment_name(positions[7].segment));
    let content = files.content(&path).unwrap();
    let frame = content[positions[7].offset as usize..].to_vec();
    // The last block twice, once in the place of the one before, and followed by foreign bytes.
    for bad in [
        [content.clone(), frame.clone()].concat(),
        [content[..positions[6].offset as usize].to_vec(), frame].concat(),
        [b"x".to_vec(), content].concat(),
    ] {
        let disk = files.crash(Survive::Everything);
        disk.set_content(&path, Some(bad));
        assert!(!judge(&disk, Some(5), "out of place"));
    }
}

#[test]
fn damage_after_the_start_is_found_when_read() {
    let (files, positions) = filled(6);
    let (log, _) = open(&files, Some(5)).unwrap();
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        let handle = Files::open(&files, &path, false).unwrap();
        for at in (0..content.len()).step_by(13) {
            handle.write_at(at as u64, &[content[at] ^ 4]).unwrap();
            assert!(is_corrupt(&log.scrub(&mut |_| {}).unwrap_err()));
            let outcomes = positions.iter().zip(0_u64..);
            for (position, number) in outcomes {
                if let Ok(bytes) = log.read(*position) {
                    assert_eq!(bytes, block(number));
                }
            }
            handle.write_at(at as u64, &[content[at]]).unwrap();
        }
    }
    log.scrub(&mut |_| {}).unwrap();
}

#[test]
fn salvage_keeps_what_is_intact_and_the_log_goes_on() {
    let (files, _) = filled(9);
    for path in files.paths() {
        let content = files.content(&path).unwrap();
        for at in (0..content.len()).step_by(23) {
            let mut bad = content.clone();
            bad[at] ^= 0x10;
            let disk = files.crash(Survive::Everything);
            disk.set_content(&path, Some(bad.clone()));
            let what = format!("{} byte {at}", path.display());
            assert!(is_corrupt(&open(&disk, Some(8)).unwrap_err()), "{what}");
            let options = LogOptions { segment_bytes: 1_200 };
            let opened = BlockLog::salvage(Arc::new(disk.clone()), Path::new(DIR), options);
            let (mut log, recovery) = opened.unwrap();
            assert_eq!(recovery.damage.unwrap().file, path, "{what}");
            let next = recovery.height.map_or(0, |height| height + 1);
            for (number, _, bytes) in all(&log, 0) {
                assert_eq!(bytes, block(number), "{what}");
            }
            let aside = format!("{}.damaged", path.display());
            assert_eq!(disk.content(Path::new(&aside)), Some(bad), "{what}: nothing is destroyed");
            for number in next..9 {
                append(&mut log, number).unwrap();
            }
            let (log, recovery) = open(&disk.crash(Survive::Nothing), Some(8)).unwrap();
            assert_eq!((recovery.height, all(&log, 0).len()), (Some(8), 9), "{what}");
        }
    }
}
