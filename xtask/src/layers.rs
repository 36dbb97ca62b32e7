//! The layer test: a crate may depend only on the crates that ARCHITECTURE.md allows it.
//!
//! The table stands in ARCHITECTURE.md between two marks, one row a crate; this test reads it from
//! there, so the document cannot drift from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const OPEN: &str = "<!-- layers -->";
const CLOSE: &str = "<!-- /layers -->";

/// Compares the table with the manifests of the workspace, in both directions.
///
/// # Errors
///
/// One line for each dependency that points up, and for each crate that the table lacks.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let page = read(&root.join("ARCHITECTURE.md"))?;
    let allowed = table(&page)?;
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in members(&read(&root.join("Cargo.toml"))?) {
        let manifest = read(&root.join(&folder).join("Cargo.toml"))?;
        let name =
            package(&manifest).ok_or_else(|| format!("{folder}/Cargo.toml names no package"))?;
        seen.insert(name.clone());
        let Some((at, may)) = allowed.get(&name) else {
            wrong.push(format!("{name} ({folder}) has no row in ARCHITECTURE.md"));
            continue;
        };
        if at != &folder {
            wrong.push(format!("{name}: ARCHITECTURE.md says {at}, the workspace {folder}"));
        }
        for dependency in own_dependencies(&manifest) {
            if !may.contains(&dependency) {
                wrong.push(format!("{name} ({folder}) may not depend on {dependency}"));
            }
        }
    }
    for name in allowed.keys().filter(|name| !seen.contains(*name)) {
        wrong.push(format!("ARCHITECTURE.md lists {name}, the workspace does not"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n       ")) }
}

type Table = BTreeMap<String, (String, BTreeSet<String>)>;

/// Rows `| folder | package | may depend on |`.
fn table(page: &str) -> Result<Table, String> {
    let missing = || format!("ARCHITECTURE.md has no table between {OPEN} and {CLOSE}");
    let (_, rest) = page.split_once(OPEN).ok_or_else(missing)?;
    let (rows, _) = rest.split_once(CLOSE).ok_or_else(missing)?;
    let mut table = Table::new();
    for row in rows.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [folder, name, may] = cells.as_slice() else {
            return Err(format!("ARCHITECTURE.md: a layer row has three cells: {row}"));
        };
        let plain = |cell: &str| cell.replace('`', "");
        let may = plain(may).split_whitespace().map(str::to_owned).collect();
        table.insert(plain(name), (plain(folder), may));
    }
    Ok(table)
}

fn members(manifest: &str) -> Vec<String> {
    let list = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let quoted = list.map(|(inner, _)| inner).unwrap_or_default().split('"');
    quoted.skip(1).step_by(2).map(str::to_owned).collect()
}

fn package(manifest: &str) -> Option<String> {
    let line = manifest.lines().find(|line| line.starts_with("name = "))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// Names of this house's crates among the dependencies proper; tests may reach further.
fn own_dependencies(manifest: &str) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim();
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let ours = name.starts_with("changbai-") || name.starts_with("smkit");
        if section == "[dependencies]" && ours {
            own.insert(name.to_owned());
        }
    }
    own
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{own_dependencies, table};

    const PAGE: &str =
        "<!-- layers -->\n| `ledger/wire` | `changbai-wire` | `smkit` |\n<!-- /layers -->";

    #[test]
    fn a_row_gives_folder_and_allowed_crates() {
        let table = table(PAGE).unwrap();
        let (folder, may) = &table["changbai-wire"];
        assert_eq!(folder, "ledger/wire");
        assert!(may.contains("smkit") && may.len() == 1);
    }

    #[test]
    fn a_dependency_is_seen_and_a_test_dependency_is_not() {
        let manifest = "[dependencies]\nchangbai-api.workspace = true\nserde.workspace = true\n\
                        [dev-dependencies]\nchangbai-node.workspace = true\n";
        let own = own_dependencies(manifest);
        assert_eq!(own.into_iter().collect::<Vec<_>>(), ["changbai-api"]);
    }
}
