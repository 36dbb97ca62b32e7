//! Whole channels: checked offline, written out, taken in again; and forgeries of each kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use changbai_channel::Block;
use changbai_channel::archive::{
    ArchiveError, ExportReader, Import, ImportMode, Imported, LogCheck, LogReport, Scratch, export,
    import, verify_log,
};
use changbai_consensus::CommitCertificate;
use changbai_contract::Registry;
use changbai_merkle::{Frontier, leaf_hash};
use changbai_msp::ChannelConfig;
use changbai_storage::{BlockLog, ConsensusWal, Files, LogOptions, StdFiles, StorageError};
use changbai_wire::{
    Header, TransactionLeaf, ValidationCode, ValidatorAddress, Vote, VoteKind, block_data_hash,
    envelope_digest,
};
use smkit::Sm3Digest;

use crate::net::Net;
use crate::world::{Validator, World, contracts, member, seats, update};

use ImportMode::{Proven, Validate};

const MODES: [ImportMode; 2] = [Validate, Proven];

struct Archive {
    genesis: Sm3Digest,
    contracts: Registry,
}

impl Archive {
    fn of(world: &World) -> Self {
        let genesis = world.genesis.header.hash();
        Self { genesis, contracts: contracts() }
    }

    fn import(&self, file: &[u8], dir: &Path, mode: ImportMode) -> Result<Imported, ArchiveError> {
        let options = Import {
            files: Arc::new(StdFiles),
            dir,
            genesis: self.genesis,
            contracts: &self.contracts,
            mode,
        };
        import(&mut &*file, &options, &mut |_| ())
    }

    /// Into a directory that is thrown away.
    fn try_import(&self, file: &[u8], mode: ImportMode) -> Result<Imported, ArchiveError> {
        let dir = tempfile::tempdir().unwrap();
        let outcome = self.import(file, dir.path(), mode);
        let left = |name: &str| dir.path().join(name).exists();
        assert_eq!(outcome.is_ok(), left("blocks") && left("consensus.wal"));
        outcome
    }

    fn verify(&self, dir: &Path, deep: Option<Scratch>) -> Result<LogReport, ArchiveError> {
        let check = LogCheck { dir, genesis: Some(self.genesis), contracts: &self.contracts, deep };
        verify_log(&check, &mut |_| ())
    }
}

fn exported(dir: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    export(dir, 0, None, &mut out, &mut |_| ()).unwrap();
    out
}

/// A log of these blocks, for `export` to read.
fn log_of(blocks: &[Block]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files: Arc<dyn Files> = Arc::new(StdFiles);
    let path = dir.path().join("blocks");
    let (mut log, _) =
        BlockLog::open(Arc::clone(&files), &path, LogOptions::default(), None).unwrap();
    for block in blocks {
        log.append(block.header.number, &block.to_bytes(), &[]).unwrap();
    }
    let (mut wal, _) = ConsensusWal::open(files, &dir.path().join("consensus.wal")).unwrap();
    wal.raise_floor(blocks.len() as u64 - 1).unwrap();
    dir
}

/// One validator, twenty transactions, a few of them invalid.
fn small(world: &World) -> (tempfile::TempDir, Vec<Block>) {
    let dir = tempfile::tempdir().unwrap();
    let mut node = world.open(dir.path()).unwrap();
    for n in 0..8 {
        node.submit(world, &["Put", &format!("k{n}"), "x"]);
        let [one, two] = [0; 2].map(|_| node.endorse(world, &["Add", "n", "1"]).envelope);
        node.send(&one);
        node.send(&two);
        node.turn();
    }
    node.submit(world, &["Delete", "k3"]);
    let height = node.channel.status().height;
    let blocks = (0..height).map(|n| node.channel.block(n).unwrap().unwrap()).collect();
    node.close();
    (dir, blocks)
}

fn files_below(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_channel_is_checked_written_out_and_taken_in() {
    let world = World::new();
    let (dir, blocks) = small(&world);
    let archive = Archive::of(&world);
    let before = files_below(dir.path());
    let report = archive.verify(dir.path(), None).unwrap();
    assert_eq!(report.last, blocks.len() as u64 - 1);
    assert_eq!(report.last_header, blocks.last().unwrap().header.hash());
    let codes: Vec<_> = blocks.iter().flat_map(|block| &block.codes).collect();
    let valid = codes.iter().filter(|code| ***code == ValidationCode::Valid).count();
    assert_eq!((report.transactions, report.valid), (codes.len() as u64, valid as u64));
    assert!(valid < codes.len(), "some have to be invalid");
    assert_eq!((report.configurations, &report.torn), (0, &None));
    let scratch = tempfile::tempdir().unwrap();
    for deep in [Scratch::Memory, Scratch::Dir(scratch.path().to_owned())] {
        assert_eq!(archive.verify(dir.path(), Some(deep)).unwrap(), report);
    }
    let file = exported(dir.path());
    assert_eq!(exported(dir.path()), file, "the same bytes each time");
    assert_eq!(files_below(dir.path()), before, "nothing was changed");

    let node = world.open(dir.path()).unwrap();
    let status = node.channel.status();
    node.close();
    for mode in MODES {
        let copy = tempfile::tempdir().unwrap();
        let imported = archive.import(&file, copy.path(), mode).unwrap();
        assert_eq!(imported.genesis, world.genesis);
        assert_eq!(imported.last_header, report.last_header);
        assert_eq!(imported.transactions, report.transactions);
        let expected = if mode == Validate { report.last } else { 1 };
        assert_eq!(imported.validated, expected);
        assert_eq!(archive.verify(copy.path(), Some(Scratch::Memory)).unwrap(), report);
        assert_eq!(exported(copy.path()), file);
        assert!(!copy.path().join("importing").exists());
        let mut node = world.open(copy.path()).unwrap();
        assert_eq!(node.recovery, changbai_channel::Recovery::default());
        assert_eq!(node.channel.status(), status);
        assert_eq!((node.get(&world, "n"), node.get(&world, "k3")), ("8".into(), String::new()));
        assert_eq!(node.submit(&world, &["Add", "n", "1"]).code, ValidationCode::Valid);
        assert_eq!(node.get(&world, "n"), "9");
        node.close();
        // What it wrote since is as good.
        archive.verify(copy.path(), Some(Scratch::Memory)).unwrap();
    }
}

/// Four validators; one comes, one goes, one gets a new key.
#[test]
fn certificates_are_checked_across_configurations() {
    let world = World::of(4);
    let newcomer = Validator::new(&world.authority);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| &world.validators[at]);
    let script = [vec![a, b, c, d, &newcomer], vec![b, c, d, &newcomer]];
    let mut net = Net::new(&world, 0);
    let Validator { peer, key, .. } = &newcomer;
    net.add(newcomer.id(), peer.clone(), Some(key.clone()));
    net.run(500);
    for (step, validators) in script.iter().enumerate() {
        net.submit(1, &["Put", &format!("before{step}"), "x"]);
        net.run(1_000);
        let (_, mut outcome) = net.change(2, |config| config.validators = seats(validators));
        net.submit(3, &["Put", &format!("beside{step}"), "x"]);
        net.run(3_000);
        assert_eq!(outcome.try_recv().unwrap().code, ValidationCode::Valid);
    }
    net.submit(1, &["Put", "after", "x"]);
    net.run(3_000);
    let dir = tempfile::tempdir().unwrap();
    let files = &net.nodes[1].files;
    fs::create_dir(dir.path().join("blocks")).unwrap();
    for path in files.paths() {
        let name = path.strip_prefix("/node").unwrap();
        if let Some(content) = files.content(&path) {
            fs::write(dir.path().join(name), content).unwrap();
        }
    }
    let archive = Archive::of(&world);
    let report = archive.verify(dir.path(), None).unwrap();
    assert_eq!(report.configurations, 2);
    assert_eq!(archive.verify(dir.path(), Some(Scratch::Memory)).unwrap(), report);
    let file = exported(dir.path());
    for mode in MODES {
        let copy = tempfile::tempdir().unwrap();
        let imported = archive.import(&file, copy.path(), mode).unwrap();
        // Both changes, and the last block.
        let expected = if mode == Validate { report.last } else { 3 };
        assert_eq!(imported.validated, expected);
        let node = world.open(copy.path()).unwrap();
        assert_eq!(node.channel.status().tip, report.last_header);
        assert_eq!(node.channel.config().sequence, 2);
        assert_eq!(node.get(&world, "after"), "x");
    }
}

#[test]
fn a_changed_export_is_refused() {
    let world = World::new();
    let (dir, _) = small(&world);
    let archive = Archive::of(&world);
    let file = exported(dir.path());
    for at in (0..file.len()).step_by(file.len() / 150) {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(archive.try_import(&changed, Proven).is_err(), "byte {at}");
    }
    for at in (0..file.len()).step_by(file.len() / 20) {
        assert!(archive.try_import(&file[..at], Proven).is_err(), "cut at {at}");
    }
    let trailing = [file.as_slice(), &[0]].concat();
    assert!(archive.try_import(&trailing, Proven).is_err());
}

/// Blocks with one thing changed; both ways of import, and the check, have to find it.
#[test]
fn forged_blocks_are_refused() {
    let world = World::new();
    let (_dir, blocks) = small(&world);
    let archive = Archive::of(&world);
    let middle = blocks.len() / 2;
    let with_codes = blocks.iter().rposition(|block| !block.codes.is_empty()).unwrap();
    let last = blocks.len() - 1;
    let (client, ..) = member(&world.authority, &["client"]);
    let forged = |change: &dyn Fn(&mut Vec<Block>)| {
        let mut forged = blocks.clone();
        change(&mut forged);
        log_of(&forged)
    };
    let invalid = |block: &mut Block| block.codes[0] = ValidationCode::MvccReadConflict;
    type Change<'c> = &'c dyn Fn(&mut Vec<Block>);
    let changes: [(&str, Change<'_>); 6] = [
        ("a code", &|blocks| invalid(&mut blocks[with_codes])),
        ("no certificate", &|blocks| blocks[middle].certificate = None),
        ("the last one's certificate", &|blocks| blocks[last].certificate = None),
        ("nobody's signature", &|blocks| {
            blocks[middle].certificate.as_mut().unwrap().signatures.clear();
        }),
        ("somebody's signature", &|blocks| {
            let signature = client.key.sign(b"a vote");
            blocks[middle].certificate.as_mut().unwrap().signatures[0].1 = signature;
        }),
        ("codes left out", &|blocks| blocks[with_codes].codes.clear()),
    ];
    for (what, change) in changes {
        let log = forged(change);
        assert!(archive.verify(log.path(), None).is_err(), "{what}");
        let file = exported(log.path());
        for mode in MODES {
            assert!(archive.try_import(&file, mode).is_err(), "{what}, {mode:?}");
        }
    }
    // No header commits to the codes of the last block yet: only validation finds this.
    let mut cut = blocks[..=with_codes].to_vec();
    invalid(&mut cut[with_codes]);
    let log = log_of(&cut);
    assert!(archive.verify(log.path(), None).is_ok());
    assert!(archive.verify(log.path(), Some(Scratch::Memory)).is_err());
    for mode in MODES {
        let error = archive.try_import(&exported(log.path()), mode).unwrap_err();
        assert!(matches!(error, ArchiveError::Block { number, .. } if number == with_codes as u64));
    }
    // A block that does not continue the one before it is not even written out.
    let mut gap = blocks.clone();
    gap[middle].header.time_ms += 1;
    let log = log_of(&gap);
    let refused = export(log.path(), 0, None, &mut Vec::new(), &mut |_| ());
    assert!(matches!(refused, Err(ArchiveError::Storage(StorageError::Corrupt { .. }))));
}

/// Somebody's own validators, brought in by a configuration that no administrator agreed to: even
/// with the real validators' certificate it is no beginning of a chain of somebody's own.
#[test]
fn a_configuration_that_nobody_agreed_to_brings_no_validators() {
    let world = World::new();
    let usurper = Validator::new(&world.authority);
    let (_dir, mut blocks) = small(&world);
    let current = ChannelConfig::from_envelope(&world.genesis.envelopes[0]).unwrap();
    let mut usurped = current.clone();
    usurped.validators = seats(&[&usurper]);
    let update = update(&current, &usurped, &world.client);
    usurped.sequence += 1;
    let envelope = usurped.to_config_envelope(&update).unwrap();
    let number = blocks.len() as u64;
    let last = blocks.last().unwrap().header.clone();
    assert!(blocks.last().unwrap().envelopes.is_empty());
    let header = Header {
        number,
        previous_hash: last.hash(),
        data_hash: block_data_hash(&[&envelope]),
        ..last
    };
    let certificate = Some(certify(&header, &world.validators[0]));
    let codes = vec![ValidationCode::Valid];
    blocks.push(Block { header, envelopes: vec![envelope], codes, certificate });
    let mut frontier = Frontier::new();
    for block in &blocks {
        for (index, (code, envelope)) in (0..).zip(block.codes.iter().zip(&block.envelopes)) {
            let envelope = envelope_digest(envelope);
            let block_number = block.header.number;
            let leaf = TransactionLeaf { block_number, index, code: *code, envelope };
            frontier.append(leaf_hash(&leaf.to_bytes()), &mut |_, _| ()).unwrap();
        }
    }
    let before = &blocks[number as usize].header;
    let header = Header {
        number: number + 1,
        previous_hash: before.hash(),
        data_hash: block_data_hash::<Vec<u8>>(&[]),
        log_size: frontier.size(),
        log_root: frontier.root(),
        validators_hash: usurped.validators_hash(),
        config_number: 1,
        ..before.clone()
    };
    let certificate = certify(&header, &usurper);
    let (envelopes, codes) = (Vec::new(), Vec::new());
    blocks.push(Block { header, envelopes, codes, certificate: Some(certificate) });
    let log = log_of(&blocks);
    let archive = Archive::of(&world);
    for mode in MODES {
        let error = archive.try_import(&exported(log.path()), mode).unwrap_err();
        let ArchiveError::Block { number: at, reason } = &error else { panic!("{error}") };
        assert_eq!(*at, number, "{mode:?}: {reason}");
    }
    assert!(archive.verify(log.path(), Some(Scratch::Memory)).is_err());
    assert!(archive.verify(log.path(), None).is_err(), "configurations are always judged");
}

fn certify(header: &Header, validator: &Validator) -> CommitCertificate {
    let address = ValidatorAddress::for_key(validator.key.verifying_key().public_key());
    let vote = Vote {
        channel_id: "city".to_owned(),
        kind: VoteKind::Precommit,
        height: header.number,
        round: 0,
        block: Some(header.hash()),
        validator: address,
    };
    CommitCertificate {
        height: header.number,
        round: 0,
        block: header.hash(),
        signatures: vec![(address, validator.key.sign(&vote.sign_bytes()))],
    }
}

#[test]
fn imports_are_refused_where_they_would_do_harm() {
    let world = World::new();
    let (dir, blocks) = small(&world);
    let archive = Archive::of(&world);
    let file = exported(dir.path());
    let refused = |outcome: Result<Imported, ArchiveError>| {
        assert!(matches!(outcome, Err(ArchiveError::Refused(_))), "{outcome:?}");
    };
    let before = files_below(dir.path());
    refused(archive.import(&file, dir.path(), Validate));
    assert_eq!(files_below(dir.path()), before);

    // Of another channel, or without its beginning.
    let other = Archive { genesis: World::new().genesis.header.hash(), ..Archive::of(&world) };
    refused(other.try_import(&file, Proven));
    assert!(other.verify(dir.path(), None).is_err());
    let mut part = Vec::new();
    let exported = export(dir.path(), 3, Some(5), &mut part, &mut |_| ()).unwrap();
    assert_eq!(exported.last_header, blocks[5].header.hash());
    refused(archive.try_import(&part, Proven));
    let mut input = part.as_slice();
    let mut reader = ExportReader::open(&mut input).unwrap();
    for number in 3..=5 {
        let (found, bytes) = reader.next_block().unwrap().unwrap();
        assert_eq!(
            (found, Block::from_bytes(&bytes).as_ref()),
            (number, Ok(&blocks[number as usize]))
        );
    }
    assert!(reader.next_block().unwrap().is_none());
    reader.finish(&exported.last_header).unwrap();
    for (first, last) in [(4, Some(3)), (0, Some(10_000)), (10_000, None)] {
        let outcome = export(dir.path(), first, last, &mut Vec::new(), &mut |_| ());
        assert!(matches!(outcome, Err(ArchiveError::Refused(_))));
    }

    // A node that knows of later blocks; one that does not keeps what it has signed.
    let files: Arc<dyn Files> = Arc::new(StdFiles);
    for (floor, fits) in [(1_000, false), (2, true)] {
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("consensus.wal");
        let (mut wal, _) = ConsensusWal::open(Arc::clone(&files), &path).unwrap();
        wal.raise_floor(floor).unwrap();
        wal.append(2_000, 1, b"a vote of a later height").unwrap();
        wal.flush().unwrap();
        drop(wal);
        let floor = ConsensusWal::read_floor(files.as_ref(), &path).unwrap();
        let outcome = archive.import(&file, copy.path(), Proven);
        assert!(floor == Some(1_999) && outcome.is_err() || fits && outcome.is_ok());
    }
}

#[test]
fn an_import_that_was_cut_short_begins_anew_or_is_finished() {
    let world = World::new();
    let (dir, _) = small(&world);
    let archive = Archive::of(&world);
    let file = exported(dir.path());
    let copy = tempfile::tempdir().unwrap();
    assert!(archive.import(&file[..file.len() / 2], copy.path(), Proven).is_err());
    assert!(copy.path().join("importing").exists());
    archive.import(&file, copy.path(), Proven).unwrap();
    let whole = archive.verify(copy.path(), None).unwrap();

    // The machine stops while the whole draft moves to its place.
    for moved in [&[][..], &["index"], &["index", "blocks"]] {
        let stopped = tempfile::tempdir().unwrap();
        let work = stopped.path().join("importing");
        fs::create_dir(&work).unwrap();
        fs::write(work.join("complete"), b"").unwrap();
        archive.import(&file, &stopped.path().join("made"), Proven).unwrap();
        for name in ["index", "blocks"] {
            let to = if moved.contains(&name) { stopped.path() } else { &work };
            fs::rename(stopped.path().join("made").join(name), to.join(name)).unwrap();
        }
        let again = archive.import(&file, stopped.path(), Proven);
        assert!(matches!(again, Err(ArchiveError::Refused(_))), "{again:?}");
        assert_eq!(archive.verify(stopped.path(), None).unwrap(), whole);
        assert!(!work.exists());
        let node = world.open(stopped.path()).unwrap();
        assert_eq!(node.recovery, changbai_channel::Recovery::default());
        assert_eq!(node.get(&world, "n"), "8");
    }
}

#[test]
fn damage_is_named_and_left_as_it_is() {
    let world = World::new();
    let (dir, _) = small(&world);
    let archive = Archive::of(&world);
    let segment = fs::read_dir(dir.path().join("blocks")).unwrap().next().unwrap().unwrap().path();
    let intact = fs::read(&segment).unwrap();
    for at in (0..intact.len()).step_by(intact.len() / 60) {
        let mut changed = intact.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&segment, &changed).unwrap();
        let before = files_below(dir.path());
        let outcome = archive.verify(dir.path(), None);
        let Err(ArchiveError::Storage(StorageError::Corrupt { file, offset, .. })) = outcome else {
            panic!("byte {at}: {outcome:?}");
        };
        assert_eq!(file, segment, "byte {at}");
        assert!(offset <= at as u64, "byte {at}: {offset}");
        assert_eq!(files_below(dir.path()), before, "byte {at}");
        let all = export(dir.path(), 0, None, &mut Vec::new(), &mut |_| ());
        assert!(all.is_err(), "byte {at}: not all of it can be written out");
    }
    // Something unfinished behind the last block is no damage, if it may have been a write.
    let extended = [intact.as_slice(), &intact[..100]].concat();
    fs::write(&segment, extended).unwrap();
    let outcome = archive.verify(dir.path(), None);
    let torn = outcome.map(|report| report.torn.map(|torn| (torn.offset, torn.bytes)));
    assert!(torn.is_err(), "a frame of block 0 was never written there");
    fs::write(&segment, [intact.as_slice(), &[1; 100]].concat()).unwrap();
    let torn = archive.verify(dir.path(), None).unwrap().torn.unwrap();
    assert_eq!((torn.offset, torn.bytes), (intact.len() as u64, 100));
}

/// What needs none of our software: `tar` lists and unpacks an export.
#[test]
fn any_tar_reads_an_export() {
    let world = World::new();
    let (dir, blocks) = small(&world);
    let Some(tar) = find_tar() else { return };
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("export.tar");
    fs::write(&file, exported(dir.path())).unwrap();
    let unpacked = Command::new(tar).arg("-xf").arg(&file).arg("-C").arg(out.path()).output();
    let unpacked = unpacked.unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    for block in &blocks {
        let name = format!("blocks/{:020}.block", block.header.number);
        assert_eq!(fs::read(out.path().join(name)).unwrap(), block.to_bytes());
    }
    let manifest = fs::read_to_string(out.path().join("export.json")).unwrap();
    let expected = format!(
        "{{\"format\":\"changbai-channel-export\",\"version\":1,\"channel\":\"city\",\
         \"genesis\":\"{}\",\"first\":0,\"last\":{}}}\n",
        world.genesis.header.hash(),
        blocks.len() - 1
    );
    assert_eq!(manifest, expected);
    let end = fs::read_to_string(out.path().join("end.json")).unwrap();
    let whole = fs::read(&file).unwrap();
    // One record for the header of `end.json`, one for its content, two for the end.
    let digest = smkit::sm3(&whole[..whole.len() - 4 * 512]);
    let last = blocks.last().unwrap().header.hash();
    assert_eq!(end, format!("{{\"last_header\":\"{last}\",\"sm3\":\"{digest}\"}}\n"));
}

/// `tar` on PATH; says when it is missing.
fn find_tar() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("tar")).find(|f| f.is_file());
    if found.is_none() {
        let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|v| v == "1");
        assert!(!required, "peer required by CHANGBAI_REQUIRE_PEERS: tar not found");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: tar not found\n");
    }
    found
}
