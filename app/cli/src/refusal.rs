//! Why a node does not start, in the words of the catalogue.

use std::path::Path;

use changbai_node::StartError;

use crate::{
    error::{CliError, chain},
    lang::Lang,
    messages::Message,
    time::china_time,
};

/// The error that people see.
pub(crate) fn of_start(error: StartError, dir: &Path) -> CliError {
    let text = |path: &Path| path.display().to_string();
    let at = |s: i64| china_time(u64::try_from(s).unwrap_or(0).saturating_mul(1_000), Lang::En);
    match error {
        StartError::InUse { dir, pid } => CliError::InUse { dir, pid },
        StartError::Listen { address, source } => CliError::Listen { address, source },
        StartError::File { file, source } => CliError::Read { path: file, source },
        StartError::NoChannel { channel, dir } => CliError::said(
            Message::NodeNoChannel,
            Message::NextNodeNoChannel,
            &[("channel", &channel), ("dir", &text(&dir))],
        ),
        StartError::Foreign { file, channel, reason } => CliError::said(
            Message::NodeForeign,
            Message::NextNodeForeign,
            &[("file", &text(&file)), ("channel", &channel), ("reason", &reason)],
        ),
        StartError::Clock { channel, block, block_ms, now_ms } => {
            let seconds = block_ms.saturating_sub(now_ms).div_ceil(1_000).to_string();
            let values = [
                ("channel", channel.as_str()),
                ("block", &block.to_string()),
                ("seconds", &seconds),
            ];
            CliError::said(Message::NodeClock, Message::NextNodeClock, &values)
        }
        StartError::Validity { file, not_before_s, not_after_s, now_s } => CliError::said(
            Message::NodeValidity,
            Message::NextNodeValidity,
            &[
                ("file", text(&file).as_str()),
                ("from", &at(not_before_s)),
                ("until", &at(not_after_s)),
                ("now", &at(now_s)),
            ],
        ),
        StartError::Genesis { file, reason } => CliError::said(
            Message::NodeGenesis,
            Message::NextNodeGenesis,
            &[("file", &text(&file)), ("reason", &reason)],
        ),
        StartError::ChannelFile { file, reason } => CliError::said(
            Message::ChannelFileWrong,
            Message::NextChannelFile,
            &[("file", &text(&file)), ("reason", &reason)],
        ),
        StartError::Joined { channel } => CliError::said(
            Message::ChannelJoined,
            Message::NextChannelJoined,
            &[("channel", &channel)],
        ),
        other => match other.damage() {
            Some((file, offset, reason)) => {
                CliError::Damaged { file: file.to_owned(), offset, reason }
            }
            None => CliError::Start { dir: dir.to_owned(), reason: chain(&other) },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_words_and_its_next_step() {
        let file = || "d/identity/node.cert.pem".into();
        for (error, named) in [
            (StartError::NoChannel { channel: "jilin".into(), dir: "d".into() }, "jilin"),
            (
                StartError::Foreign {
                    file: file(),
                    channel: "changchun".into(),
                    reason: "MS-1203: x".into(),
                },
                "MS-1203",
            ),
            (
                StartError::Clock {
                    channel: "changchun".into(),
                    block: 7,
                    block_ms: 61_500,
                    now_ms: 1_000,
                },
                "61 s",
            ),
            (StartError::Genesis { file: file(), reason: "torn".into() }, "torn"),
            (
                StartError::Validity {
                    file: file(),
                    not_before_s: 1_795_647_704,
                    not_after_s: 1_795_647_705,
                    now_s: 0,
                },
                "node.cert.pem",
            ),
            (StartError::Joined { channel: "changchun".into() }, "changchun"),
        ] {
            let error = of_start(error, Path::new("d"));
            let en = error.explain(Lang::En);
            assert!(en.what.contains(named), "{}", en.what);
            assert!(en.next.is_some() && error.explain(Lang::Zh).next.is_some(), "{}", en.what);
        }
    }
}
