//! What an update changes, and the tree that comes of it.

use std::collections::{BTreeMap, BTreeSet};

use changbai_wire::proto::common::ConfigGroup;

use super::{
    ConfigUpdateError,
    tree::{Item, Items},
};
use crate::{
    EffectivePolicy, Identity, ItemKind, ItemPath,
    config::{find_group, mod_policy_target},
    policy::effective,
};

/// The elements of the write set that the read set does not have in the same version.
pub(super) fn delta<'a>(
    read: &'a Items<'_>,
    write: &'a Items<'_>,
) -> BTreeMap<&'a ItemPath, Item<'a>> {
    write
        .iter()
        .filter(|(path, item)| read.get(*path).is_none_or(|r| r.version() != item.version()))
        .map(|(path, item)| (path, *item))
        .collect()
}

/// Every element that was read is in force in the version read.
pub(super) fn check_read(read: &Items<'_>, current: &Items<'_>) -> Result<(), ConfigUpdateError> {
    for (path, item) in read {
        let in_force = current
            .get(path)
            .ok_or_else(|| ConfigUpdateError::Missing { path: path.clone() })?
            .version();
        if in_force != item.version() {
            let (path, read) = (path.clone(), item.version());
            return Err(ConfigUpdateError::Stale { path, read, current: in_force });
        }
    }
    Ok(())
}

/// Versions of the delta follow those in force.
pub(super) fn check_versions(
    delta: &BTreeMap<&ItemPath, Item<'_>>,
    current: &Items<'_>,
) -> Result<(), ConfigUpdateError> {
    if delta.is_empty() {
        return Err(ConfigUpdateError::NoChange);
    }
    for (path, item) in delta {
        let expected = match current.get(*path).map(Item::version) {
            None => Some(0),
            Some(version) => version.checked_add(1),
        };
        if expected != Some(item.version()) {
            return Err(ConfigUpdateError::Version {
                path: (*path).clone(),
                found: item.version(),
                expected: expected.unwrap_or(u64::MAX),
            });
        }
    }
    Ok(())
}

/// The policy that guards each changed element, in the configuration in force, is satisfied. What is
/// new is guarded by the policy of the group that gets it, which changes as well.
pub(super) fn check_policies(
    delta: &BTreeMap<&ItemPath, Item<'_>>,
    current: &Items<'_>,
    root: &ConfigGroup,
    signers: &[&Identity],
) -> Result<(), ConfigUpdateError> {
    let mut satisfied = BTreeSet::new();
    for path in delta.keys() {
        let Some(guarded) = current.get(*path) else { continue };
        let (group, name) = target(path, *guarded)?;
        let policy = format!("{group}/{name}");
        if satisfied.contains(&policy) {
            continue;
        }
        if !guard(path, *guarded, root)?.1.evaluate(signers) {
            return Err(ConfigUpdateError::Policy { path: (*path).clone(), policy });
        }
        satisfied.insert(policy);
    }
    Ok(())
}

/// The policy that guards an element of the tree in force, and its path.
pub(super) fn guard(
    path: &ItemPath,
    guarded: Item<'_>,
    root: &ConfigGroup,
) -> Result<(String, EffectivePolicy), ConfigUpdateError> {
    let (group, name) = target(path, guarded)?;
    let found = find_group(root, &group).and_then(|group| effective(group, &name).ok().flatten());
    let found = found.ok_or_else(|| no_policy(path, guarded))?;
    Ok((format!("{group}/{name}"), found))
}

fn target(path: &ItemPath, guarded: Item<'_>) -> Result<(String, String), ConfigUpdateError> {
    mod_policy_target(path, guarded.mod_policy()).ok_or_else(|| no_policy(path, guarded))
}

fn no_policy(path: &ItemPath, guarded: Item<'_>) -> ConfigUpdateError {
    ConfigUpdateError::NoPolicy { path: path.clone(), policy: guarded.mod_policy().to_owned() }
}

/// The tree in force with the delta laid over it. A group's members are those that its newest version
/// lists.
pub(super) fn result(
    delta: &BTreeMap<&ItemPath, Item<'_>>,
    write: &Items<'_>,
    current: &Items<'_>,
) -> Result<ConfigGroup, ConfigUpdateError> {
    let proposed = |path: &ItemPath| delta.get(path).or_else(|| current.get(path)).copied();
    for path in write.keys() {
        let Some(parent) = path.parent() else { continue };
        let Some(Item::Group(group)) = proposed(&parent) else {
            return Err(ConfigUpdateError::Orphan { path: path.clone() });
        };
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        let listed = match path.kind() {
            ItemKind::Group => group.groups.contains_key(name),
            ItemKind::Value => group.values.contains_key(name),
            ItemKind::Policy => group.policies.contains_key(name),
        };
        if !listed {
            return Err(ConfigUpdateError::Orphan { path: path.clone() });
        }
    }
    build(&ItemPath::root(), &proposed)
}

fn build<'a>(
    path: &ItemPath,
    proposed: &impl Fn(&ItemPath) -> Option<Item<'a>>,
) -> Result<ConfigGroup, ConfigUpdateError> {
    let missing = |path: &ItemPath| ConfigUpdateError::Missing { path: path.clone() };
    let Some(Item::Group(listed)) = proposed(path) else { return Err(missing(path)) };
    let mut group = ConfigGroup {
        version: listed.version,
        mod_policy: listed.mod_policy.clone(),
        ..ConfigGroup::default()
    };
    for name in listed.values.keys() {
        let path = path.child(ItemKind::Value, name);
        let Some(Item::Value(value)) = proposed(&path) else { return Err(missing(&path)) };
        group.values.insert(name.clone(), value.clone());
    }
    for name in listed.policies.keys() {
        let path = path.child(ItemKind::Policy, name);
        let Some(Item::Policy(policy)) = proposed(&path) else { return Err(missing(&path)) };
        group.policies.insert(name.clone(), policy.clone());
    }
    for name in listed.groups.keys() {
        group.groups.insert(name.clone(), build(&path.child(ItemKind::Group, name), proposed)?);
    }
    Ok(group)
}
