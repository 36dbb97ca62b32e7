//! What a consortium shall be, and where each of its nodes then listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use changbai_msp::{Endpoint, limits::ORGANISATIONS_MAX};

use super::{InitError, agencies};
use crate::config::{NetworkSettings, NodeSettings, OperationsSettings, Settings};

/// Most agencies of a consortium.
pub const AGENCIES_MAX: usize = ORGANISATIONS_MAX;

/// What a consortium shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many agencies, 1 to [`AGENCIES_MAX`].
    pub agencies: usize,
    /// How many of them validate, the first ones; `None`: all up to seven, else seven. The others follow.
    pub validators: Option<usize>,
    /// The channel's id.
    pub channel: String,
    /// Who must endorse, as in a channel's file; `None`: a majority of the agencies.
    pub endorsement: Option<String>,
    /// Where nodes take links and GM TLS: one address for all, or one for each agency. Plain HTTP stays on
    /// loopback.
    pub hosts: Vec<IpAddr>,
    /// Which ports they use.
    pub ports: Ports,
}

/// The ports of a consortium's nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// 8080, 8443, 7050 and 9443 for REST, REST over GM TLS, links and operations; ten more for each further node.
    Usual,
    /// From this port on, ten for each node: REST, REST over GM TLS, links, operations, and six unused ones.
    From(u16),
}

impl Default for Plan {
    /// Four agencies on loopback.
    fn default() -> Self {
        Self {
            agencies: 4,
            validators: None,
            channel: NodeSettings::default().channel,
            endorsement: None,
            hosts: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            ports: Ports::Usual,
        }
    }
}

/// One agency's place.
pub(super) struct Seat {
    pub(super) dir: PathBuf,
    pub(super) index: u32,
    pub(super) validator: bool,
    pub(super) settings: Settings,
    /// Where others reach its node.
    pub(super) links: Endpoint,
}

impl Plan {
    /// The agencies' places below `dir`.
    pub(super) fn seats(&self, dir: &Path) -> Result<Vec<Seat>, InitError> {
        let wrong = |key, reason: String| Err(InitError::Plan { key, reason });
        if !(1..=AGENCIES_MAX).contains(&self.agencies) {
            return wrong("agencies", format!("{} is not 1 to {AGENCIES_MAX}", self.agencies));
        }
        let validators = self.validators.unwrap_or_else(|| self.agencies.min(VALIDATORS_USUAL));
        if !(1..=self.agencies).contains(&validators) {
            return wrong("validators", format!("{validators} is not 1 to {}", self.agencies));
        }
        if !changbai_wire::is_channel_id(&self.channel) {
            return wrong("channel", format!("{:?} is no channel id", self.channel));
        }
        if let Some(host) = self.hosts.iter().find(|host| host.is_unspecified()) {
            return wrong("host", format!("{host} is no address that others can reach"));
        }
        let hosts: Vec<IpAddr> = match self.hosts.as_slice() {
            [one] => vec![*one; self.agencies],
            each if each.len() == self.agencies => each.to_vec(),
            some => {
                let count = some.len();
                return wrong("host", format!("{count} addresses are neither one nor one each"));
            }
        };
        let seat = |(index, host)| self.seat(dir, index, host, index < validators);
        hosts.into_iter().enumerate().map(seat).collect()
    }

    fn seat(
        &self,
        dir: &Path,
        index: usize,
        host: IpAddr,
        validator: bool,
    ) -> Result<Seat, InitError> {
        let too_high = || InitError::Plan {
            key: "port_base",
            reason: format!("agency {} would need a port above 65535", index + 1),
        };
        let [rest, gm_tls, links, operations] = self.ports.at(index).ok_or_else(too_high)?;
        let (folder, agency) = agencies::at(index);
        let local = |port| format!("http://127.0.0.1:{port}");
        let at_host = |port| SocketAddr::new(host, port).to_string();
        let node = NodeSettings {
            channel: self.channel.clone(),
            listen: vec![local(rest), format!("gmtls://{}", at_host(gm_tls))],
            ..NodeSettings::default()
        };
        let mut settings = Settings {
            node,
            network: NetworkSettings { listen: at_host(links) },
            operations: OperationsSettings { listen: local(operations) },
            agency,
            ..Settings::default()
        };
        let host = host.to_string();
        if !settings.tls.names.contains(&host) {
            settings.tls.names.push(host.clone());
        }
        let links = Endpoint::new(&host, links)
            .map_err(|e| InitError::Plan { key: "host", reason: e.to_string() })?;
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Ok(Seat { dir: dir.join(folder), index, validator, settings, links })
    }
}

impl Ports {
    /// REST, REST over GM TLS, links, operations.
    fn at(self, index: usize) -> Option<[u16; 4]> {
        let first = match self {
            Self::Usual => [8_080, 8_443, 7_050, 9_443],
            Self::From(base) => {
                [base, base.checked_add(1)?, base.checked_add(2)?, base.checked_add(3)?]
            }
        };
        let step = u16::try_from(index).ok()?.checked_mul(PORTS_APART)?;
        let [a, b, c, d] = first.map(|port| port.checked_add(step));
        Some([a?, b?, c?, d?])
    }
}

/// Seven tolerate two that fail or lie; more cost every block without need.
const VALIDATORS_USUAL: usize = 7;
const PORTS_APART: u16 = 10;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{AGENCIES_MAX, InitError, IpAddr, Ipv4Addr, Plan, Ports};

    #[test]
    fn no_two_nodes_share_a_port() {
        for ports in [Ports::Usual, Ports::From(20_000)] {
            let all: Vec<u16> = (0..AGENCIES_MAX).flat_map(|i| ports.at(i).unwrap()).collect();
            let distinct: BTreeSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), all.len());
        }
        assert_eq!(Ports::From(65_530).at(0).unwrap()[3], 65_533);
        assert!(Ports::From(65_530).at(1).is_none());
    }

    #[test]
    fn what_cannot_be_is_named() {
        let plan = Plan::default();
        for (plan, expected) in [
            (Plan { agencies: 0, ..plan.clone() }, "agencies"),
            (Plan { agencies: AGENCIES_MAX + 1, ..plan.clone() }, "agencies"),
            (Plan { validators: Some(0), ..plan.clone() }, "validators"),
            (Plan { validators: Some(5), ..plan.clone() }, "validators"),
            (Plan { channel: "Chang Chun".to_owned(), ..plan.clone() }, "channel"),
            (Plan { hosts: vec!["0.0.0.0".parse().unwrap()], ..plan.clone() }, "host"),
            (Plan { hosts: vec![IpAddr::V4(Ipv4Addr::LOCALHOST); 3], ..plan.clone() }, "host"),
            (Plan { ports: Ports::From(65_520), ..plan.clone() }, "port_base"),
        ] {
            let refused = plan.seats(Path::new("x")).err();
            assert!(
                matches!(&refused, Some(InitError::Plan { key, .. }) if *key == expected),
                "{expected}: {refused:?}"
            );
        }
        let hosts: Vec<IpAddr> =
            ["10.0.0.1", "10.0.0.2"].iter().map(|host| host.parse().unwrap()).collect();
        let seats = Plan { agencies: 2, hosts, ..plan.clone() }.seats(Path::new("x")).unwrap();
        assert!(seats[1].settings.network.listen.starts_with("10.0.0.2:"));
        assert!(seats[1].settings.tls.names.contains(&"10.0.0.2".to_owned()));
        let seats = Plan { agencies: 9, ..plan }.seats(Path::new("x")).unwrap();
        assert_eq!(seats.iter().filter(|seat| seat.validator).count(), 7);
    }
}
