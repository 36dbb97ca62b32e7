//! Whose validators they are: trust files, and the chain of configurations from the genesis block on.

use changbai_core::ConfigurationProof;
use changbai_msp::{ChannelConfig, ConfigUpdate, Organisation, Sender, ValidatorConfig, apply};
use changbai_receipt::{
    Assurance, ChannelAnchor, ConfigurationLink, Receipt, Report, Status, Trust, Verdict,
    verify_reader,
};
use changbai_wire::{Header, block_data_hash, time::UnixMillis};
use proptest::prelude::*;
use smkit::{Sm3Digest, sm3};
use smkit_pki::{Authority, TrustAnchors};

use crate::fixture::{
    CHANNEL, City, MSP, Member, NOW_MS, Seed, days, genesis, pack, precommits, root,
};

/// A channel whose validators change.
struct World {
    authority: Authority,
    seed: Seed,
    admin: Member,
    operator: Member,
    /// The members in office after each block, and the configuration.
    offices: Vec<Vec<Member>>,
    configs: Vec<ChannelConfig>,
    blocks: Vec<ConfigurationProof>,
    /// Blocks from one configuration to the next.
    step: u64,
}

impl World {
    /// Four validators, block 0.
    fn new() -> Self {
        let mut seed = Seed(5 << 32);
        let authority = root(&mut seed);
        let mut issue = |name: &str, units: &[&str]| {
            Member::issued(&authority, name, units, days(-1, 365), &mut seed)
        };
        let nodes: Vec<_> = (0..4).map(|n| issue(&format!("n{n}"), &["peer", "orderer"])).collect();
        let (admin, operator) = (issue("admin", &["admin"]), issue("clerk", &["client"]));
        let anchors = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
        let org = Organisation::new(MSP, "长春", anchors);
        let seats = (0..)
            .zip(&nodes)
            .map(|(at, node)| ValidatorConfig::new(MSP, node.certificate.clone(), at));
        let config = ChannelConfig::new(CHANNEL, vec![org], seats.collect()).unwrap();
        let envelope = config.to_genesis_envelope();
        let header =
            Header { data_hash: block_data_hash(&[&envelope]), ..genesis(CHANNEL, &nodes).header };
        let block = ConfigurationProof { header, round: 0, signatures: Vec::new(), envelope };
        Self {
            authority,
            seed,
            admin,
            operator,
            offices: vec![nodes],
            configs: vec![config],
            blocks: vec![block],
            step: 1,
        }
    }

    /// Another block, in which this validator has a new key; agreed to by `by`.
    fn renew(&mut self, seat: usize, by: &Member) {
        let name = format!("m{}", self.blocks.len());
        let units = ["peer", "orderer"];
        let node = Member::issued(&self.authority, &name, &units, days(-1, 365), &mut self.seed);
        let mut next = self.configs.last().unwrap().clone();
        let mut office = self.offices.last().unwrap().clone();
        next.validators[seat].certificate = node.certificate.clone();
        office[seat] = node;
        self.change(&next, office, by);
    }

    fn change(&mut self, next: &ChannelConfig, office: Vec<Member>, by: &Member) {
        let current = self.configs.last().unwrap();
        let update = ConfigUpdate::compute(current, next).unwrap();
        let identity = by.identity();
        let sender = Sender { identity: &identity, key: &by.key };
        let consent = update.sign(sender, b"nonce");
        let update = update.to_envelope(&[consent], sender, b"sent", UnixMillis(NOW_MS));
        let made = match apply(current, &update, NOW_MS as i64 / 1_000) {
            Ok(made) => made,
            // A world in which the validators let it pass all the same.
            Err(_) => {
                let mut made = next.clone();
                made.sequence += 1;
                made
            }
        };
        let envelope = made.to_config_envelope(&update).unwrap();
        let number = self.blocks.len() as u64 * self.step;
        let before = self.offices.last().unwrap();
        let header = Header {
            number,
            previous_hash: sm3(b"previous"),
            data_hash: block_data_hash(&[&envelope]),
            time_ms: NOW_MS - 1_000 + number,
            config_number: current.sequence,
            ..genesis(CHANNEL, before).header
        };
        let signing: Vec<_> = before.iter().take(3).collect();
        let signatures = precommits(&signing, &header, 2);
        self.blocks.push(ConfigurationProof { header, round: 2, signatures, envelope });
        self.offices.push(office);
        self.configs.push(made);
    }

    /// Evidence under the validators now in office.
    fn city(&self) -> City {
        let office = self.offices.last().unwrap().clone();
        let mut city = City::with(&self.authority, office, self.operator.clone());
        city.configurations = Some(self.blocks.clone());
        city.trust = self.trust(Vec::new());
        city
    }

    fn trust(&self, validators: Vec<Sm3Digest>) -> Trust {
        let genesis = self.blocks[0].header.hash();
        let anchor = ChannelAnchor { channel_id: CHANNEL.to_owned(), genesis, validators };
        Trust::new(self.roots(), vec![anchor]).unwrap()
    }

    fn roots(&self) -> TrustAnchors {
        TrustAnchors::from_certificates(vec![self.authority.certificate().clone()])
    }
}

fn receipt(city: &City) -> Receipt {
    Receipt::from_proof(&city.proof()).unwrap()
}

fn judged(city: &City, receipt: &Receipt, trust: &Trust) -> Report {
    judged_bytes(city, &receipt.to_bytes().unwrap(), trust)
}

fn judged_bytes(city: &City, receipt: &[u8], trust: &Trust) -> Report {
    let bundle = pack(city.record.as_bytes(), receipt, None, &city.originals);
    verify_reader(&mut bundle.as_slice(), &[], Some(trust))
}

#[track_caller]
fn refused(report: &Report, code: &str) {
    let element = report.element("validators").unwrap();
    assert_eq!(element.code, code, "{}", report.to_json());
    assert_eq!(report.verdict, Verdict::NotVerified);
    assert_eq!(report.assurance, Assurance::Nothing);
    assert!(!element.reason_zh.contains(['{', '?']) && !element.reason_en.contains(['{', '?']));
    let failed = report.elements.iter().filter(|element| element.status == Status::Failed);
    assert_eq!(failed.count(), 1, "it alone tells the forgery: {}", report.to_json());
}

#[track_caller]
fn verified(report: &Report) {
    assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    assert_eq!(report.assurance, Assurance::Channel);
    assert_eq!(report.element("validators").unwrap().code, "VF-1900");
}

#[test]
fn validators_in_office_from_the_beginning() {
    let world = World::new();
    let city = world.city();
    let receipt = receipt(&city);
    assert_eq!(receipt.configurations.len(), 1);
    assert!(receipt.configurations[0].envelope.is_none(), "the header says all");
    verified(&judged(&city, &receipt, &city.trust));
    assert!(receipt.to_bytes().unwrap().len() < 32 << 10);
}

#[test]
fn validators_that_changed_twice() {
    let mut world = World::new();
    let admin = world.admin.clone();
    world.renew(3, &admin);
    verified(&judged(&world.city(), &receipt(&world.city()), &world.trust(Vec::new())));
    world.renew(1, &admin);
    let city = world.city();
    let honest = receipt(&city);
    assert_eq!(honest.configurations.len(), 3);
    let bytes = honest.to_bytes().unwrap();
    assert_eq!(Receipt::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    verified(&judged(&city, &honest, &city.trust));
    // A change that leaves the validators alone needs no link; the sequence has moved on.
    let mut next = world.configs.last().unwrap().clone();
    next.batch.timeout_ms = 50;
    let office = world.offices.last().unwrap().clone();
    world.change(&next, office, &admin);
    let city = world.city();
    assert_eq!(receipt(&city).configurations.len(), 3);
    verified(&judged(&city, &receipt(&city), &city.trust));
    // One in between does.
    world.renew(0, &admin);
    let city = world.city();
    assert_eq!(receipt(&city).configurations.len(), 5);
    verified(&judged(&city, &receipt(&city), &city.trust));
}

#[test]
fn a_ledger_that_cannot_lead_there_writes_no_receipt() {
    let mut world = World::new();
    let admin = world.admin.clone();
    world.renew(3, &admin);
    let mut city = world.city();
    city.configurations.as_mut().unwrap().pop();
    assert!(Receipt::from_proof(&city.proof()).is_err());
    city.configurations.as_mut().unwrap()[0].envelope.clear();
    assert!(Receipt::from_proof(&city.proof()).is_err());
}

/// Whoever holds a certificate with the unit `orderer` below the trusted root makes validators of their own.
#[test]
fn a_set_of_ones_own_is_refused() {
    let mut world = World::new();
    let honest = world.city();
    let units = ["peer", "orderer"];
    let rogue = Member::issued(&world.authority, "rogue", &units, days(-1, 365), &mut world.seed);
    let mut city = City::with(&world.authority, vec![rogue.clone()], world.operator.clone());
    city.trust = honest.trust.clone();
    let trust = &honest.trust;
    // In the old form, which does not say where the validators come from.
    city.configurations = Some(Vec::new());
    let plain = receipt(&city);
    refused(&judged(&city, &plain, trust), "VF-1902");
    let listed = world.trust(vec![world.blocks[0].header.validators_hash]);
    refused(&judged(&city, &plain, &listed), "VF-1902");
    // From a genesis block of its own, from the honest one, from the honest one by a block of its own.
    city.configurations = None;
    let mut forged = receipt(&city);
    refused(&judged(&city, &forged, trust), "VF-1903");
    forged.configurations[0].header = world.blocks[0].header.clone();
    refused(&judged(&city, &forged, trust), "VF-1907");
    world.renew(3, &rogue);
    let forged_block = &world.blocks[1];
    let own = ConfigurationLink {
        header: forged_block.header.clone(),
        round: 2,
        signatures: plain.signatures.clone(),
        envelope: Some(forged_block.envelope.clone()),
    };
    forged.configurations[0].envelope = Some(world.blocks[0].envelope.clone());
    forged.configurations.push(own);
    refused(&judged(&city, &forged, trust), "VF-1905");
    // Under roots alone nothing tells the forgery: the report says so, and does not call it the channel's.
    let roots = Trust::from(world.roots());
    let report = judged(&city, &plain, &roots);
    assert_eq!((report.verdict, report.assurance), (Verdict::Verified, Assurance::Roots));
    let element = report.element("validators").unwrap();
    assert_eq!((element.status, element.code), (Status::Absent, "VF-1980"));
    assert!(report.to_json().contains(r#""assurance":"roots""#));
}

/// The validators then in office, all of them, sign a change to which no administrator agreed.
#[test]
fn a_quorum_alone_does_not_change_validators() {
    let mut world = World::new();
    let clerk = world.operator.clone();
    world.renew(3, &clerk);
    let city = world.city();
    let report = judged(&city, &receipt(&city), &city.trust);
    refused(&report, "VF-1906");
    assert!(report.element("validators").unwrap().reason_en.contains("MS-2201"));
}

#[test]
fn links_missing_moved_altered_or_too_many() {
    let mut world = World::new();
    let admin = world.admin.clone();
    world.renew(3, &admin);
    world.renew(1, &admin);
    let city = world.city();
    let honest = receipt(&city);
    world.renew(0, &admin);
    let beyond = receipt(&world.city()).configurations[3].clone();
    let plain_genesis = {
        let mut first = honest.configurations[0].clone();
        first.envelope = None;
        first
    };
    let stolen = precommits(
        &world.offices[1].iter().collect::<Vec<_>>(),
        &honest.configurations[1].header,
        2,
    );
    let sign = |(validator, der): &(changbai_wire::ValidatorAddress, Vec<u8>)| {
        changbai_receipt::CommitSignature {
            validator: *validator,
            signature: smkit::sm2::Signature::from_der(der).unwrap(),
        }
    };
    type Change<'a> = &'a dyn Fn(&mut Vec<ConfigurationLink>);
    let changes: &[(&str, &str, Change<'_>)] = &[
        ("VF-1907", "the last is missing", &|links| drop(links.pop())),
        ("VF-1907", "all but the first are missing", &|links| links.truncate(1)),
        ("VF-1907", "block 0 alone", &|links| *links = vec![plain_genesis.clone()]),
        ("VF-1904", "one in between is missing", &|links| drop(links.remove(1))),
        ("VF-1903", "the first is missing", &|links| drop(links.remove(0))),
        ("VF-1904", "two are swapped", &|links| links.swap(1, 2)),
        ("VF-1904", "one is repeated", &|links| links.insert(1, links[1].clone())),
        ("VF-1904", "one too many", &|links| links.push(beyond.clone())),
        ("VF-1907", "no envelope in block 0", &|links| links[0].envelope = None),
        ("VF-1904", "no envelope", &|links| links[1].envelope = None),
        ("VF-1904", "another envelope", &|links| links[1].envelope = links[2].envelope.clone()),
        ("VF-1904", "another block 0", &|links| links[0].envelope = links[1].envelope.clone()),
        ("VF-1903", "another time of block 0", &|links| links[0].header.time_ms += 1),
        ("VF-1905", "another time", &|links| links[1].header.time_ms += 1),
        ("VF-1904", "another sequence", &|links| links[1].header.config_number += 1),
        ("VF-1904", "another set", &|links| {
            links[1].header.validators_hash = links[2].header.validators_hash;
        }),
        ("VF-1905", "another round", &|links| links[1].round += 1),
        ("VF-1905", "no quorum", &|links| links[1].signatures.truncate(2)),
        ("VF-1905", "a signature twice", &|links| links[1].signatures[2] = links[1].signatures[1]),
        ("VF-1905", "out of order", &|links| links[1].signatures.swap(0, 1)),
        ("VF-1905", "signatures of another block", &|links| {
            links[1].signatures = links[2].signatures.clone();
        }),
        ("VF-1905", "of those who come into office", &|links| {
            links[1].signatures = stolen.iter().map(sign).collect();
        }),
        ("VF-1904", "block 0 is signed", &|links| {
            links[0].signatures = links[1].signatures.clone();
        }),
    ];
    for (code, what, change) in changes {
        let mut forged = honest.clone();
        change(&mut forged.configurations);
        let report = judged(&city, &forged, &city.trust);
        assert_eq!(
            report.element("validators").unwrap().code,
            *code,
            "{what}: {}",
            report.to_json()
        );
        refused(&report, code);
    }
    // Validators that came into office only after the header they signed.
    let mut late = World { step: 5, ..World::new() };
    late.renew(3, &admin);
    late.renew(1, &admin);
    let city = late.city();
    assert!(late.blocks[2].header.number > city.header_number);
    refused(&judged(&city, &receipt(&city), &city.trust), "VF-1904");
    // While the first validators are in office, their configuration is superfluous.
    let first = World::new().city();
    let mut forged = receipt(&first);
    forged.configurations[0].envelope = honest.configurations[0].envelope.clone();
    refused(&judged(&first, &forged, &first.trust), "VF-1907");
}

#[test]
fn receipts_that_do_not_say_need_their_set_listed() {
    let mut world = World::new();
    let admin = world.admin.clone();
    let first = world.blocks[0].header.validators_hash;
    world.renew(3, &admin);
    let second = world.configs[1].validators_hash();
    let mut city = world.city();
    city.configurations = Some(Vec::new());
    let plain = receipt(&city);
    assert!(plain.configurations.is_empty());
    let text = String::from_utf8(plain.to_bytes().unwrap()).unwrap();
    assert!(text.contains(r#""format":1"#) && !text.contains("configurations"));
    verified(&judged(&city, &plain, &world.trust(vec![first, second])));
    refused(&judged(&city, &plain, &world.trust(vec![first])), "VF-1902");
    // An empty list is not the absence of one, and a format is what it holds.
    for changed in [
        text.replacen(r#""format":1"#, r#""configurations":[],"format":1"#, 1),
        text.replacen(r#""format":1"#, r#""format":2"#, 1),
    ] {
        let report = judged_bytes(&city, changed.as_bytes(), &world.trust(vec![second]));
        assert_eq!(report.element("container").unwrap().code, "VF-1008");
    }
}

#[test]
fn roots_alone_do_not_judge_where_validators_come_from() {
    let world = World::new();
    let city = world.city();
    let linked = receipt(&city);
    let report = judged(&city, &linked, &world.roots().into());
    assert_eq!((report.verdict, report.assurance), (Verdict::Unchecked, Assurance::Nothing));
    let element = report.element("validators").unwrap();
    assert_eq!(element.code, "VF-1992");
    assert!(element.reason_zh.contains(&world.blocks[0].header.hash().to_string()));
}

#[test]
fn trust_files_have_one_reading() {
    let world = World::new();
    let set = sm3(b"set");
    let trust = world.trust(vec![set, sm3(b"another")]);
    let text = trust.to_text();
    let again = Trust::parse(&text).unwrap();
    assert_eq!(again.channels(), trust.channels());
    assert_eq!(again.roots().len(), 1);
    assert_eq!(again.to_text(), text);
    let commented = format!("# 长春\r\n\r\n{}\n# end\n", text.replace('\n', "\r\n"));
    assert_eq!(Trust::parse(&commented).unwrap().to_text(), text);
    // Readers of roots find them in it.
    assert_eq!(TrustAnchors::from_pem(&text).unwrap().len(), 1);
    let pem = world.authority.certificate().to_pem();
    assert!(Trust::parse(&pem).unwrap().channels().is_empty());
    assert_eq!(Trust::parse(&pem).unwrap().to_text(), pem);

    let (head, _) = text.split_at(text.find("-----").unwrap());
    let hash = set.to_string();
    let bad = [
        String::new(),
        head.to_owned(),
        format!("note\n{pem}"),
        format!("{pem}note\n"),
        format!("{pem}{head}"),
        format!("\u{feff}{text}"),
        text.replace("Changbai-Trust: 1\n", ""),
        text.replace("Changbai-Trust: 1", "Changbai-Trust: 2"),
        text.replace("Changbai-Trust: 1", "changbai-trust: 1"),
        text.replace("Changbai-Trust: 1", "Changbai-Trust:1"),
        format!("Changbai-Trust: 1\n{text}"),
        format!("Changbai-Trust: 1\n{pem}"),
        text.replace("Genesis: ", "Genesis:  "),
        text.replace("Genesis: ", "Chanel: "),
        text.replace(&hash, &hash.to_uppercase()),
        text.replace(&hash, &hash[1..]),
        text.replace(&format!("Genesis: {}\n", trust.channels()[0].genesis), ""),
        format!("{head}Genesis: {hash}\n{pem}"),
        format!("{head}Channel: {CHANNEL}\nGenesis: {hash}\n{pem}"),
        format!("{head}Channel: x\n{pem}"),
        format!("{head}Channel: X\nGenesis: {hash}\n{pem}"),
        format!("{head}Validators: {hash}\n{pem}"),
        format!("Changbai-Trust: 1\nGenesis: {hash}\n{pem}"),
        text.replace("-----END", "-----EMD"),
        format!("{text}-----BEGIN PRIVATE KEY-----\n"),
        format!("{text}-----BEGIN CERTIFICATE-----\n{pem}"),
        " ".repeat((1 << 20) + 1),
    ];
    for text in bad {
        assert!(Trust::parse(&text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any flipped bit of a receipt whose validators changed twice is refused.
    #[test]
    fn any_flipped_bit_of_the_links(bit in any::<prop::sample::Index>()) {
        static MADE: std::sync::LazyLock<(City, Vec<u8>)> = std::sync::LazyLock::new(|| {
            let mut world = World::new();
            let admin = world.admin.clone();
            world.renew(3, &admin);
            world.renew(1, &admin);
            let city = world.city();
            let receipt = city.receipt();
            (city, receipt)
        });
        let (city, receipt) = &*MADE;
        let mut altered = receipt.clone();
        let bit = bit.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let report = judged_bytes(city, &altered, &city.trust);
        prop_assert_eq!(report.verdict, Verdict::NotVerified, "bit {}", bit);
    }

    /// A changed trust file is refused, or trusts something else: a root, a channel or a set.
    #[test]
    fn any_flipped_bit_of_a_trust_file(bit in any::<prop::sample::Index>()) {
        static TEXT: std::sync::LazyLock<String> =
            std::sync::LazyLock::new(|| World::new().trust(vec![sm3(b"set")]).to_text());
        let mut altered = TEXT.clone().into_bytes();
        let bit = bit.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        if let Ok(text) = String::from_utf8(altered)
            && let Ok(trust) = Trust::parse(&text)
        {
            let again = Trust::parse(&trust.to_text()).unwrap();
            prop_assert_eq!(again.channels(), trust.channels());
            prop_assert_eq!(trust.channels().len(), 1, "never silently without its channel");
        }
    }

    #[test]
    fn arbitrary_texts_never_panic(text in any::<String>()) {
        let _ = Trust::parse(&text);
    }
}
