//! Names of the elements of a configuration's tree.

use std::{fmt, str::FromStr};

use changbai_wire::proto::common::ConfigGroup;
use thiserror::Error;

use crate::limits::{GROUP_DEPTH_MAX, ITEMS_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX};

/// The three kinds of elements; each has names of its own within a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A group.
    Group,
    /// A value of a group.
    Value,
    /// A policy of a group.
    Policy,
}

/// An element of the configuration's tree, written as Fabric does: `[Value] /Channel/Orderers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemPath {
    kind: ItemKind,
    path: String,
}

impl ItemPath {
    /// The root group, `/Channel`.
    pub(crate) fn root() -> Self {
        Self { kind: ItemKind::Group, path: ROOT.to_owned() }
    }

    /// An element of this group.
    pub(crate) fn child(&self, kind: ItemKind, name: &str) -> Self {
        Self { kind, path: format!("{}/{name}", self.path) }
    }

    /// What kind of element it is.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        self.kind
    }

    /// The path alone, such as `/Channel/Orderers`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The group that holds the element; `None` for the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (path, _) = self.path.rsplit_once('/').filter(|(path, _)| !path.is_empty())?;
        Some(Self { kind: ItemKind::Group, path: path.to_owned() })
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:?}] {}", self.kind, self.path)
    }
}

impl FromStr for ItemPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let kinds = [ItemKind::Group, ItemKind::Value, ItemKind::Policy];
        let (kind, path) = text.split_once("] ").ok_or(InvalidPath)?;
        let kind = kinds
            .into_iter()
            .find(|known| kind.strip_prefix('[') == Some(&format!("{known:?}")))
            .ok_or(InvalidPath)?;
        let below = path.strip_prefix(ROOT).ok_or(InvalidPath)?;
        let names = below.strip_prefix('/').map(|names| names.split('/'));
        let whole = match names {
            Some(mut names) => names.all(is_name),
            None => below.is_empty() && kind == ItemKind::Group,
        };
        if path.len() > POLICY_BYTES_MAX || !whole {
            return Err(InvalidPath);
        }
        Ok(Self { kind, path: path.to_owned() })
    }
}

/// Whether an element may be called so: a path of such names has one reading.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(['/', '[', ']', ' '])
}

/// Whether a tree is within bounds and its names make paths of one reading; to be asked of foreign
/// trees before anything is made of them.
pub(crate) fn check_shape(root: &ConfigGroup) -> bool {
    let mut left = ITEMS_MAX;
    check_below(root, GROUP_DEPTH_MAX, &mut left)
}

fn check_below(group: &ConfigGroup, depth: usize, left: &mut usize) -> bool {
    let Some(below) = depth.checked_sub(1) else { return false };
    let count = group.values.len().saturating_add(group.policies.len()).saturating_add(1);
    let Some(rest) = left.checked_sub(count) else { return false };
    *left = rest;
    let mut names = group.values.keys().chain(group.policies.keys()).chain(group.groups.keys());
    names.all(|name| is_name(name))
        && group.groups.values().all(|group| check_below(group, below, left))
}

/// Calls `f` with path, version and guarding policy of each element, groups before what they hold;
/// stops at groups nested deeper than a configuration's.
pub(crate) fn visit(group: &mut ConfigGroup, f: &mut impl FnMut(&ItemPath, &mut u64, &mut String)) {
    visit_below(group, &ItemPath::root(), GROUP_DEPTH_MAX, f);
}

fn visit_below(
    group: &mut ConfigGroup,
    path: &ItemPath,
    depth: usize,
    f: &mut impl FnMut(&ItemPath, &mut u64, &mut String),
) {
    let Some(below) = depth.checked_sub(1) else { return };
    f(path, &mut group.version, &mut group.mod_policy);
    for (name, value) in &mut group.values {
        f(&path.child(ItemKind::Value, name), &mut value.version, &mut value.mod_policy);
    }
    for (name, policy) in &mut group.policies {
        f(&path.child(ItemKind::Policy, name), &mut policy.version, &mut policy.mod_policy);
    }
    for (name, group) in &mut group.groups {
        visit_below(group, &path.child(ItemKind::Group, name), below, f);
    }
}

/// The group at a path such as `/Channel/Application`.
pub(crate) fn find_group<'a>(root: &'a ConfigGroup, path: &str) -> Option<&'a ConfigGroup> {
    let mut names = path.strip_prefix(ROOT)?.split('/');
    if !names.next()?.is_empty() {
        return None;
    }
    names.try_fold(root, |group, name| group.groups.get(name))
}

/// Group and name of the policy that guards `item` by the name or path `policy`: a name is looked up
/// in the group itself, or in the one that holds the value or policy.
pub(crate) fn mod_policy_target(item: &ItemPath, policy: &str) -> Option<(String, String)> {
    if policy.starts_with('/') {
        let (group, name) = policy.rsplit_once('/')?;
        return Some((group.to_owned(), name.to_owned()));
    }
    let group = match item.kind() {
        ItemKind::Group => item.clone(),
        ItemKind::Value | ItemKind::Policy => item.parent()?,
    };
    is_name(policy).then(|| (group.as_str().to_owned(), policy.to_owned()))
}

const ROOT: &str = "/Channel";

/// A text that names no element of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a path is \"[Group] /Channel/…\", \"[Value] /Channel/…\" or \"[Policy] /Channel/…\"")]
pub struct InvalidPath;
