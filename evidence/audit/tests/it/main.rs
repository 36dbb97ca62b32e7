//! The process log as its users see it: chains, crashes, damage, anchors.

mod anchors;
mod chains;
mod damage;
mod support;
