//! A node's ledger as a file: checked where it lies, written out while the node runs, taken in by another.

use std::fs;

use crate::consortium::Consortium;

const NAMES: [&str; 4] = ["ndrc", "hrss", "digital", "resources"];

#[test]
fn a_snapshot_takes_a_new_disk_to_where_the_others_are() {
    let consortium = Consortium::init(&[]);
    consortium.ok("network up --dir net");
    fs::write(consortium.dir().join("a.txt"), "first").unwrap();
    consortium.ok("evidence submit net/a.txt --dir net/ndrc");
    consortium.settle(&NAMES);

    // Beside the running node.
    let said = consortium.ok("node verify-log --deep --dir net/hrss");
    assert!(said.contains("channel changchun is intact"), "{said}");
    consortium.ok("node snapshot --out channel.tar --dir net/hrss");
    let (code, _, error) = consortium.run("node import channel.tar --dir net/hrss");
    assert!(code != 0 && error.contains("in use"), "{error}");

    consortium.stop("resources");
    let (code, _, error) = consortium.run("node import channel.tar --dir net/resources");
    assert!(code != 0 && error.contains("has a ledger already"), "{error}");
    let channel = consortium.dir().join("resources/channels/changchun");
    for folder in ["blocks", "index"] {
        fs::remove_dir_all(channel.join(folder)).unwrap();
    }
    // One changed byte in the export: refused, and nothing was taken in.
    let archive = consortium.dir().join("../channel.tar");
    let intact = fs::read(&archive).unwrap();
    let mut spoilt = intact.clone();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    fs::write(&archive, &spoilt).unwrap();
    let import = "node import channel.tar --snapshot --dir net/resources";
    let (code, _, error) = consortium.run(import);
    assert!(code != 0, "{error}");
    fs::write(&archive, &intact).unwrap();
    consortium.ok(import);

    consortium.start("resources");
    consortium.settle(&NAMES);
    assert_eq!(consortium.hashes("resources"), consortium.hashes("ndrc"));
    consortium.ok("evidence list --file net/a.txt --dir net/resources");
    consortium.ok("network down --dir net");
}
