//! `changbai network status`: each node as it says of itself.

use changbai_node::consortium::Agency;
use serde::Serialize;
use serde_json::Value;

use super::{next_steps, open, process::process, up::steps};
use crate::{
    args::network::Status,
    client::{Call, Client},
    error::CliError,
    lang::Lang,
    messages::{Message, word},
    output::{self, Table},
    run::{Context, EXIT_FAILED, EXIT_OK},
};

/// One node.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    organisation: String,
    msp_id: String,
    role: String,
    /// `running`, `stopped` or `no_answer`.
    state: &'static str,
    pid: Option<u32>,
    height: Option<u64>,
    peers_connected: Option<u64>,
    quorum: Option<bool>,
    halted: Option<String>,
    suspended: Option<String>,
    /// Why it does not answer.
    reason: Option<String>,
    listen: Vec<String>,
}

/// Prints every node; fails unless all are running, with a quorum, and none has halted.
pub(super) fn run(args: &Status, context: &Context) -> Result<u8, CliError> {
    let consortium = open(context)?;
    // A node that hangs must not hide the others.
    let lines = std::thread::scope(|scope| {
        let channel = consortium.channel.as_str();
        let look = |agency| scope.spawn(move || look(agency, channel, context));
        let looks: Vec<_> = consortium.agencies.iter().map(look).collect();
        looks.into_iter().filter_map(|look| look.join().ok()).collect::<Result<Vec<_>, _>>()
    })?;
    if args.json {
        output::json(&serde_json::json!({ "channel": consortium.channel, "nodes": lines }))?;
    } else {
        output::line(&render(&lines, context.lang))?;
        let mut next = Vec::new();
        if lines.iter().any(|line| line.state == "stopped") {
            let dir = context.dir.display();
            next.push((Message::NetworkUp, format!("changbai network up --dir {dir}")));
        }
        let running = |agency: &&Agency| {
            lines.iter().any(|line| line.name == agency.name && line.state == "running")
        };
        let running: Vec<Agency> = consortium.agencies.iter().filter(running).cloned().collect();
        if !running.is_empty() {
            next.extend(steps(&running, context));
        }
        output::line(&next_steps(&next, context))?;
    }
    let well = lines.iter().all(|line| {
        line.state == "running"
            && line.quorum == Some(true)
            && line.halted.is_none()
            && line.suspended.is_none()
    });
    Ok(if well { EXIT_OK } else { EXIT_FAILED })
}

fn look(agency: &Agency, channel: &str, context: &Context) -> Result<Line, CliError> {
    let role = if agency.validator { "validator" } else { "follower" };
    let mut line = Line {
        name: agency.name.clone(),
        organisation: agency.organisation.clone(),
        msp_id: agency.msp_id.clone(),
        role: role.to_owned(),
        state: "stopped",
        pid: None,
        height: None,
        peers_connected: None,
        quorum: None,
        halted: None,
        suspended: None,
        reason: None,
        listen: agency.listen.clone(),
    };
    let Some(process) = process(&agency.dir)? else { return Ok(line) };
    line.pid = Some(process.pid);
    let node = Context { dir: agency.dir.clone(), lang: context.lang };
    let call = Call { path: &format!("/api/v1/channels/{channel}"), ..Call::default() };
    let asked = Client::signing(&node).and_then(|client| client.hasty().json::<Value>(&call));
    match asked {
        Ok(answer) => {
            let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
            line.state = "running";
            line.height = answer.get("height").and_then(Value::as_u64);
            line.peers_connected = answer.get("peers_connected").and_then(Value::as_u64);
            line.quorum = answer.get("quorum").and_then(Value::as_bool);
            (line.halted, line.suspended) = (text("halted"), text("suspended"));
            line.role = text("role").unwrap_or(line.role);
        }
        Err(error) => {
            line.state = "no_answer";
            line.reason = Some(error.explain(context.lang).what);
        }
    }
    Ok(line)
}

fn render(lines: &[Line], lang: Lang) -> String {
    let say = |message| word(lang, message).to_owned();
    let mut table = Table::default();
    table.row(
        [
            Message::ColumnNode,
            Message::Agency,
            Message::ColumnRole,
            Message::ColumnState,
            Message::ColumnProcess,
            Message::ColumnHeight,
            Message::ColumnPeers,
            Message::ColumnQuorum,
            Message::ColumnListen,
            Message::ColumnRemark,
        ]
        .map(say),
    );
    for line in lines {
        let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let remark = line.halted.as_ref().or(line.suspended.as_ref()).or(line.reason.as_ref());
        table.row([
            line.name.clone(),
            format!("{} {}", line.organisation, line.msp_id),
            say(match line.role.as_str() {
                "validator" => Message::RoleValidator,
                _ => Message::RoleFollower,
            }),
            say(match line.state {
                "running" => Message::StateRunning,
                "stopped" => Message::StateStopped,
                _ => Message::StateSilent,
            }),
            number(line.pid.map(u64::from)),
            number(line.height),
            number(line.peers_connected),
            match line.quorum {
                Some(true) => say(Message::Yes),
                Some(false) => say(Message::No),
                None => "-".to_owned(),
            },
            line.listen.first().cloned().unwrap_or_default(),
            remark.map(|remark| output::clean(remark)).unwrap_or_default(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_node_has_its_line_too() {
        let line = Line {
            name: "ndrc".into(),
            organisation: "发改委".into(),
            msp_id: "ChangchunNDRC".into(),
            role: "validator".into(),
            state: "stopped",
            pid: None,
            height: None,
            peers_connected: None,
            quorum: None,
            halted: None,
            suspended: None,
            reason: None,
            listen: vec!["http://127.0.0.1:8080".into()],
        };
        let table = render(&[line], Lang::En);
        let line = table.lines().nth(1).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            cells,
            "ndrc 发改委 ChangchunNDRC validator stopped - - - - http://127.0.0.1:8080"
                .split(' ')
                .collect::<Vec<_>>()
        );
    }
}
