//! Read set and write set between two trees, as Fabric's tools compute them.

use std::collections::BTreeMap;

use changbai_wire::proto::common::{ConfigGroup, ConfigPolicy, ConfigValue};

/// The sparse sets that lead from `old` to `new`; `None` if they differ in versions at most.
///
/// An element that changes is in the write set with its version plus 1, a new one with version 0. A
/// group whose members or guarding policy change has its version plus 1, and lists all its members
/// in both sets, unchanged ones by version alone. Groups on the way are there by version.
pub(super) fn diff(old: &ConfigGroup, new: &ConfigGroup) -> Option<(ConfigGroup, ConfigGroup)> {
    let values = Members::of(&old.values, &new.values);
    let policies = Members::of(&old.policies, &new.policies);
    let groups = Members::of_groups(&old.groups, &new.groups);
    let mut read = ConfigGroup { version: old.version, ..ConfigGroup::default() };
    let mut write = read.clone();
    let moved = values.moved || policies.moved || groups.moved || old.mod_policy != new.mod_policy;
    if !moved && values.write.is_empty() && policies.write.is_empty() && groups.write.is_empty() {
        return None;
    }
    if moved {
        write.version = old.version.saturating_add(1);
        write.mod_policy.clone_from(&new.mod_policy);
    }
    (read.values, write.values) = values.sets(moved);
    (read.policies, write.policies) = policies.sets(moved);
    (read.groups, write.groups) = groups.sets(moved);
    Some((read, write))
}

/// What becomes of the elements of one kind in one group.
struct Members<T> {
    /// Whether one comes or goes.
    moved: bool,
    /// What must be read because something below it changes.
    read: BTreeMap<String, T>,
    write: BTreeMap<String, T>,
    /// Those that stay as they are, by version alone.
    same: BTreeMap<String, T>,
}

impl<T: Element> Members<T> {
    fn of(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Self {
        let mut members = Self::started(old, new);
        for (name, item) in new {
            match old.get(name) {
                None => members.write(name, item.at(0)),
                Some(before) if before.says_the_same(item) => {
                    members.same.insert(name.clone(), T::stub(before.version()));
                }
                Some(before) => members.write(name, item.at(before.version().saturating_add(1))),
            }
        }
        members
    }
}

impl Members<ConfigGroup> {
    fn of_groups(old: &BTreeMap<String, ConfigGroup>, new: &BTreeMap<String, ConfigGroup>) -> Self {
        let mut members = Self::started(old, new);
        for (name, group) in new {
            match old.get(name).map(|before| (before, diff(before, group))) {
                None => members.write(name, fresh(group)),
                Some((_, Some((read, write)))) => {
                    members.read.insert(name.clone(), read);
                    members.write(name, write);
                }
                Some((before, None)) => {
                    let stub = ConfigGroup { version: before.version, ..ConfigGroup::default() };
                    members.same.insert(name.clone(), stub);
                }
            }
        }
        members
    }
}

impl<T: Clone> Members<T> {
    fn started(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Self {
        let (read, write, same) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { moved: !old.keys().eq(new.keys()), read, write, same }
    }

    fn write(&mut self, name: &str, item: T) {
        self.write.insert(name.to_owned(), item);
    }

    /// Read set and write set; those that stay are listed only when the group itself changes.
    fn sets(self, moved: bool) -> (BTreeMap<String, T>, BTreeMap<String, T>) {
        let Self { mut read, mut write, same, .. } = self;
        if moved {
            read.extend(same.clone());
            write.extend(same);
        }
        (read, write)
    }
}

/// A group that is new, with everything in it.
fn fresh(group: &ConfigGroup) -> ConfigGroup {
    ConfigGroup {
        version: 0,
        values: group.values.iter().map(|(name, value)| (name.clone(), value.at(0))).collect(),
        policies: group.policies.iter().map(|(name, p)| (name.clone(), p.at(0))).collect(),
        groups: group.groups.iter().map(|(name, group)| (name.clone(), fresh(group))).collect(),
        mod_policy: group.mod_policy.clone(),
    }
}

/// A value or a policy.
trait Element: Clone {
    fn version(&self) -> u64;
    fn at(&self, version: u64) -> Self;
    fn stub(version: u64) -> Self;
    fn says_the_same(&self, other: &Self) -> bool;
}

impl Element for ConfigValue {
    fn version(&self) -> u64 {
        self.version
    }

    fn at(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn stub(version: u64) -> Self {
        Self { version, ..Self::default() }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.value == other.value && self.mod_policy == other.mod_policy
    }
}

impl Element for ConfigPolicy {
    fn version(&self) -> u64 {
        self.version
    }

    fn at(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn stub(version: u64) -> Self {
        Self { version, ..Self::default() }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.policy == other.policy && self.mod_policy == other.mod_policy
    }
}
