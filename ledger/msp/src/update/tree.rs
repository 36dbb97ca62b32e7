//! Foreign trees: bounded before anything is made of them, and seen as a map of elements.

use std::collections::BTreeMap;

use changbai_wire::{limits::ENVELOPE_BYTES_MAX, proto::common};
use prost::Message;

use super::ConfigUpdateError;
use crate::{ItemKind, ItemPath, config::check_shape};

/// An element of a tree, by reference.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Group(&'a common::ConfigGroup),
    Value(&'a common::ConfigValue),
    Policy(&'a common::ConfigPolicy),
}

/// All elements of a tree, groups included.
pub(super) type Items<'a> = BTreeMap<ItemPath, Item<'a>>;

impl Item<'_> {
    pub(super) const fn version(&self) -> u64 {
        match self {
            Self::Group(group) => group.version,
            Self::Value(value) => value.version,
            Self::Policy(policy) => policy.version,
        }
    }

    pub(super) fn mod_policy(&self) -> &str {
        match self {
            Self::Group(group) => &group.mod_policy,
            Self::Value(value) => &value.mod_policy,
            Self::Policy(policy) => &policy.mod_policy,
        }
    }
}

/// The elements of a tree whose shape was checked.
pub(super) fn items(root: &common::ConfigGroup) -> Items<'_> {
    let mut items = Items::new();
    collect(root, ItemPath::root(), &mut items);
    items
}

fn collect<'a>(group: &'a common::ConfigGroup, path: ItemPath, items: &mut Items<'a>) {
    for (name, value) in &group.values {
        items.insert(path.child(ItemKind::Value, name), Item::Value(value));
    }
    for (name, policy) in &group.policies {
        items.insert(path.child(ItemKind::Policy, name), Item::Policy(policy));
    }
    for (name, group) in &group.groups {
        collect(group, path.child(ItemKind::Group, name), items);
    }
    items.insert(path, Item::Group(group));
}

/// Reads a `common.ConfigUpdate` whose sets are within bounds.
pub(super) fn decode_update(bytes: &[u8]) -> Result<common::ConfigUpdate, ConfigUpdateError> {
    if bytes.len() > ENVELOPE_BYTES_MAX {
        return Err(ConfigUpdateError::Malformed("too large"));
    }
    let update = common::ConfigUpdate::decode(bytes)
        .map_err(|_| ConfigUpdateError::Malformed("update does not parse"))?;
    // What administrators sign has one form, and says nothing that this code does not understand.
    if update.encode_to_vec() != bytes {
        return Err(ConfigUpdateError::Malformed("update is not canonically encoded"));
    }
    if !update.isolated_data.is_empty() {
        return Err(ConfigUpdateError::Malformed("isolated data"));
    }
    for set in [&update.read_set, &update.write_set] {
        let set = set.as_ref().ok_or(ConfigUpdateError::Malformed("a set is missing"))?;
        if !check_shape(set) {
            return Err(ConfigUpdateError::Malformed(
                "a set is too large, too deep or has impossible names",
            ));
        }
    }
    Ok(update)
}

/// Read set and write set of an update from [`decode_update`].
pub(super) fn sets(
    update: &common::ConfigUpdate,
) -> Result<(Items<'_>, Items<'_>), ConfigUpdateError> {
    match (&update.read_set, &update.write_set) {
        (Some(read), Some(write)) => Ok((items(read), items(write))),
        _ => Err(ConfigUpdateError::Malformed("a set is missing")),
    }
}
