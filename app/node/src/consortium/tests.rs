use changbai_channel::Block;
use changbai_msp::{ChannelConfig, GroupPolicy};
use changbai_receipt::Trust;

use super::{CHANNEL, GENESIS, InitError, Plan, Ports, TRUST, init, read};
use crate::channel_file;
use crate::config::Config;

fn plan(agencies: usize, validators: Option<usize>) -> Plan {
    Plan { agencies, validators, ports: Ports::From(21_000), ..Plan::default() }
}

#[test]
fn a_consortium_is_one_channel_of_many_directories() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("net");
    let steps = std::sync::Mutex::new(Vec::new());
    let progress = |done, of| steps.lock().unwrap().push((done, of));
    let endorsement = Some("OutOf(2, 'ChangchunNDRC.peer', 'ChangchunHRSS.peer')".to_owned());
    let plan = Plan { endorsement, ..plan(5, Some(4)) };
    let consortium = init(&dir, &plan, &progress).unwrap();
    assert_eq!(steps.into_inner().unwrap().last(), Some(&(5, 5)));
    let names: Vec<_> = consortium.agencies.iter().map(|agency| agency.name.as_str()).collect();
    assert_eq!(names, ["ndrc", "hrss", "digital", "resources", "market"]);
    let roles: Vec<_> = consortium.agencies.iter().map(|agency| agency.validator).collect();
    assert_eq!(roles, [true, true, true, true, false]);

    let genesis = std::fs::read(dir.join(GENESIS)).unwrap();
    let block = Block::from_bytes(&genesis).unwrap();
    let config = ChannelConfig::from_envelope(&block.envelopes[0]).unwrap();
    config.verify_validators(i64::try_from(block.header.time_ms / 1_000).unwrap()).unwrap();
    assert_eq!((config.orgs.len(), config.validators.len()), (5, 4));
    assert!(matches!(config.policies.endorsement, GroupPolicy::Signature(_)));
    for (agency, validator) in consortium.agencies.iter().zip(&config.validators) {
        let links = Config::below(&agency.dir).load().unwrap().network.unwrap().to_string();
        for endpoint in [&validator.consensus, &validator.peer] {
            assert_eq!(endpoint.as_ref().unwrap().to_string(), links);
        }
        let org = config.org(&agency.msp_id).unwrap();
        assert_eq!(org.anchor_peers[0].to_string(), links);
        let own = agency.dir.join("channels/changchun/genesis.block");
        assert_eq!(std::fs::read(own).unwrap(), genesis);
    }
    assert_eq!(config.tls_anchors().iter().count(), 5);

    // What people read says the same as what the nodes do.
    assert_eq!(channel_file::read(&dir.join(CHANNEL)).unwrap(), config);
    let trust = Trust::parse(&std::fs::read_to_string(dir.join(TRUST)).unwrap()).unwrap();
    assert_eq!(trust.channels()[0].genesis, block.header.hash());
    assert_eq!(trust.roots().iter().count(), 5);
    assert_eq!(read(&dir).unwrap(), Some(consortium));
}

#[test]
fn nothing_is_written_over_and_nothing_half_made_stays() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("mine"), "x").unwrap();
    let refused = init(home.path(), &plan(1, None), &|_, _| {});
    assert!(matches!(refused, Err(InitError::NotEmpty { .. })));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);

    let dir = home.path().join("net");
    let policy = Plan { endorsement: Some("'Nobody.peer'".to_owned()), ..plan(2, None) };
    let refused = init(&dir, &policy, &|_, _| {});
    assert!(matches!(refused, Err(InitError::Plan { key: "endorsement", .. })), "{refused:?}");
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    assert_eq!(read(&dir).unwrap(), None);
}
