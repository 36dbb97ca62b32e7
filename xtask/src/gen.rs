//! `gen`: compiles `ledger/wire/proto` into `ledger/wire/src/generated`, without `protoc`.
//!
//! The generated files are committed; [`run`] with `check` reports drift instead of writing.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Regenerates the protobuf code below `root` (the workspace), or, with `check`, compares it.
///
/// # Errors
/// A text for the terminal: a `.proto` file that does not compile, a file that cannot be read or
/// written, or, with `check`, the list of generated files that differ.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let protos = root.join("ledger/wire/proto");
    let target = root.join("ledger/wire/src/generated");
    let fresh = generate(&protos)?;
    let committed = read_folder(&target).map_err(|e| failure("read", &target, &e))?;
    if check {
        return report_drift(&fresh, &committed);
    }
    fs::create_dir_all(&target).map_err(|e| failure("create", &target, &e))?;
    for name in committed.keys().filter(|name| !fresh.contains_key(*name)) {
        let stale = target.join(name);
        fs::remove_file(&stale).map_err(|e| failure("remove", &stale, &e))?;
    }
    for (name, text) in &fresh {
        let file = target.join(name);
        fs::write(&file, text).map_err(|e| failure("write", &file, &e))?;
    }
    Ok(())
}

/// Compiles every `.proto` file below `protos`; the result maps file name to Rust source.
fn generate(protos: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut files = Vec::new();
    proto_files(protos, &mut files).map_err(|e| failure("list", protos, &e))?;
    // Order decides the order of messages in a package's file: keep it independent of the disk's.
    files.sort();
    let descriptors = protox::compile(&files, [protos]).map_err(|e| format!("protobuf: {e:#}"))?;
    let scratch = tempfile::tempdir().map_err(|e| format!("temporary folder: {e}"))?;
    prost_build::Config::new()
        // One encoding per value: hash maps would serialize in a different order each time.
        .btree_map(["."])
        // Our own Timestamp: no conversions that read the machine's clock.
        .compile_well_known_types()
        .out_dir(scratch.path())
        .compile_fds(descriptors)
        .map_err(|e| format!("code generation: {e}"))?;
    read_folder(scratch.path()).map_err(|e| failure("read", scratch.path(), &e))
}

fn proto_files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            proto_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(())
}

/// The `.rs` files of a folder by name; a missing folder is an empty one.
fn read_folder(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            files.insert(name.to_owned(), fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

fn report_drift(
    fresh: &BTreeMap<String, String>,
    committed: &BTreeMap<String, String>,
) -> Result<(), String> {
    let names: std::collections::BTreeSet<&String> = fresh.keys().chain(committed.keys()).collect();
    let drifted: Vec<&str> = names
        .into_iter()
        .filter(|name| fresh.get(*name) != committed.get(*name))
        .map(String::as_str)
        .collect();
    if drifted.is_empty() {
        return Ok(());
    }
    Err(format!(
        "generated code differs from its sources, run `cargo xtask gen`: {}",
        drifted.join(", ")
    ))
}

fn failure(action: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {action} {}: {error}", path.display())
}
