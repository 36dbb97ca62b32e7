//! Receipts across changes of the validators, from a real channel to the verifier.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use changbai_channel::{Block, Parts, Tuning};
use changbai_contract::Registry;
use changbai_contract_evidence::EvidenceContract;
use changbai_core::{
    AgencyProfile, BusinessType, Collection, CustodyMode, EvidenceService, OriginalRef, Submission,
    Submitter,
};
use changbai_custody::Custody;
use changbai_msp::{ConfigUpdate, Organisation, Sender, ValidatorConfig, serialize_identity};
use changbai_receipt::{Assurance, Bundle, Receipt, Report, Trust, Verdict, hash_original, verify};
use changbai_storage::StdFiles;
use changbai_wire::time::{ManualClock, UnixMillis};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3;
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};

use super::*;
use crate::clock_watch::Uptime;
use crate::metrics::NodeMetrics;
use changbai_network::{ChannelDriver, DriverParts};

const MSP: &str = "CityMSP";
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

struct City {
    authority: Authority,
    admin: (Certificate, SigningKey),
    genesis: Block,
    dir: tempfile::TempDir,
    clock: Arc<dyn Clock>,
}

/// A running node of the city with a key.
struct Node {
    ledger: Arc<EmbeddedLedger>,
    driver: ChannelDriver,
    service: EvidenceService,
}

impl City {
    fn new(authority: Authority, first: &Certificate) -> Self {
        let admin = member(&authority, &["admin"]);
        let roots = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
        let orgs = vec![Organisation::new(MSP, "city", roots)];
        let validators = vec![ValidatorConfig::new(MSP, first.clone(), 0)];
        let config = ChannelConfig::new("city", orgs, validators).unwrap();
        let genesis = Block::genesis(&config, config.to_genesis_envelope(), NOW.0 - 1_000);
        let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOW)));
        Self { authority, admin, genesis, dir, clock }
    }

    fn start(&self, (certificate, key): &(Certificate, SigningKey)) -> Node {
        let mut contracts = Registry::new();
        contracts.register(Arc::new(EvidenceContract)).unwrap();
        let identity =
            SigningIdentity { serialized: serialize_identity(MSP, certificate), key: key.clone() };
        let parts = Parts {
            unsigned: true,
            files: Arc::new(StdFiles),
            index: None,
            repair: false,
            genesis: self.genesis.clone(),
            contracts,
            endorser: identity.clone(),
            validator: Some(key.clone()),
            clock: Arc::clone(&self.clock),
            tuning: Tuning::default(),
            now_ms: 0,
        };
        let ledger = self.dir.path().join("ledger");
        let (channel, orderer, _) = Channel::open(&ledger, parts).unwrap();
        let parts = DriverParts { observer: Arc::new(()), now_ms: 0 };
        let driver = ChannelDriver::alone(channel.clone(), orderer, parts).unwrap();
        let ledger = Arc::new(EmbeddedLedger {
            channel,
            identity,
            endorsers: PeerEndorsers::new(driver.caller()),
            clock: Arc::clone(&self.clock),
            random: Mutex::new(OsRandom),
            configurations: Arc::default(),
            metrics: NodeMetrics::new(Uptime::start()).channel("city"),
        });
        let service = EvidenceService::new(
            Arc::clone(&ledger) as _,
            Arc::new(custody(&self.dir.path().join("custody"))),
            Arc::clone(&self.clock),
            Arc::new(Mutex::new(OsRandom)),
            AgencyProfile {
                region: "220100".to_owned(),
                code: "91220101MA00000000".parse().unwrap(),
                msp_id: MSP.to_owned(),
                name: "city".to_owned(),
            },
        );
        Node { ledger, driver, service: service.unwrap() }
    }
}

fn custody(dir: &Path) -> Custody {
    Custody::open(dir, &mut OsRandom).unwrap()
}

impl Node {
    async fn submit(&self, content: &[u8]) -> Evidence {
        let submission = Submission {
            business_type: BusinessType::General,
            batch: None,
            fields: BTreeMap::new(),
            originals: vec![OriginalRef {
                sm3: sm3(content),
                size_bytes: content.len() as u64,
                media_type: "application/pdf".to_owned(),
                custody: CustodyMode::Submitter,
            }],
            previous: None,
            collection: Collection::default(),
        };
        let submitter = Submitter {
            certificate_sm3: sm3(b"certificate"),
            subject: "CN=clerk".to_owned(),
            msp_id: MSP.to_owned(),
        };
        let submitted = self.service.submit(submission, &submitter).await.unwrap();
        let record = submitted.record.as_bytes().to_vec();
        Evidence { tx_id: submitted.tx_id, record, content: content.to_vec() }
    }

    async fn proof(&self, evidence: &Evidence) -> LedgerProof {
        for _ in 0..1_000 {
            match self.ledger.proof(&evidence.tx_id).await {
                Err(LedgerError::NotYetProven) => {
                    tokio::time::sleep(Duration::from_millis(5)).await
                }
                proof => return proof.unwrap(),
            }
        }
        panic!("never proven");
    }

    async fn change(&self, city: &City, validator: &Certificate) {
        let current = self.ledger.channel.config();
        let mut next = ChannelConfig::clone(&current);
        next.validators[0].certificate = validator.clone();
        let update = ConfigUpdate::compute(&current, &next).unwrap();
        let identity = serialize_identity(MSP, &city.admin.0);
        let sender = Sender { identity: &identity, key: &city.admin.1 };
        let consent = update.sign(sender, b"nonce");
        let envelope =
            update.to_envelope(&[consent], sender, &sm3(update.as_bytes()).as_bytes()[..24], NOW);
        let outcome = self.ledger.channel.broadcast(envelope).unwrap().await.unwrap();
        assert_eq!(outcome.code, ValidationCode::Valid);
    }

    fn trust(&self) -> Arc<Trust> {
        self.ledger.configurations.trust_of(&self.ledger.channel).unwrap()
    }

    /// Stops in order, also when it is no validator any more.
    async fn stop(self) {
        let channel = self.ledger.channel.clone();
        channel.stop();
        let orderer = self.driver.join().await.unwrap();
        drop((self.service, self.ledger));
        channel.close(orderer).unwrap();
    }
}

struct Evidence {
    tx_id: String,
    record: Vec<u8>,
    content: Vec<u8>,
}

impl Evidence {
    fn judged(&self, proof: &LedgerProof, trust: &Trust) -> Report {
        let receipt = Receipt::from_proof(proof).unwrap().to_bytes().unwrap();
        let bundle = Bundle::from_parts(self.record.clone(), receipt, None);
        let original = hash_original("original", &mut self.content.as_slice()).unwrap();
        verify(&bundle, &[original], Some(trust))
    }

    #[track_caller]
    fn verified(&self, proof: &LedgerProof, trust: &Trust) {
        let report = self.judged(proof, trust);
        assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
        assert_eq!(report.assurance, Assurance::Channel);
    }

    #[track_caller]
    fn refused(&self, proof: &LedgerProof, trust: &Trust, code: &str) {
        let report = self.judged(proof, trust);
        assert_eq!(report.element("validators").unwrap().code, code, "{}", report.to_json());
        assert_eq!(report.verdict, Verdict::NotVerified);
    }
}

fn member(authority: &Authority, units: &[&str]) -> (Certificate, SigningKey) {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject {
        common_name: "node".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..Subject::default()
    };
    let public = key.public_key().clone();
    let certificate = authority
        .issue(&subject, &public, Profile::Signing, validity(), None, &mut OsRandom)
        .unwrap();
    (certificate, SigningKey::new(key, SignerId::DEFAULT).unwrap())
}

fn validity() -> Validity {
    let now = NOW.seconds();
    Validity { not_before: now - 10_000, not_after: now + 1_000_000 }
}

fn authority() -> Authority {
    let subject = Subject { common_name: "root".to_owned(), ..Subject::default() };
    Authority::create_root(&subject, validity(), &mut OsRandom).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_lead_over_changes_of_the_validators() {
    let authority = authority();
    let [a, b, c] = [(); 3].map(|()| member(&authority, &["peer", "orderer"]));
    let city = City::new(authority, &a.0);
    let node = city.start(&a);
    let early = node.submit(b"early").await;
    let first = node.proof(&early).await;
    assert_eq!(first.configurations.len(), 1);
    let before = node.trust();
    early.verified(&first, &before);

    let mut node = node;
    for next in [&b, &c] {
        node.change(&city, &next.0).await;
        node.stop().await;
        node = city.start(next);
        node.submit(&sm3(next.0.der()).as_bytes()[..]).await;
    }
    let late = node.submit(b"late").await;
    let proof = node.proof(&late).await;
    assert_eq!(proof.configurations.len(), 3);
    let after = node.trust();
    assert_eq!(after.channels()[0].validators.len(), 3, "every set that was in office");
    assert_eq!(after.channels()[0].genesis, before.channels()[0].genesis);
    // A file from before the change is enough, and the new one still knows what was.
    late.verified(&proof, &before);
    late.verified(&proof, &after);
    early.verified(&first, &after);
    let again = node.proof(&early).await;
    assert_eq!((again.header.number, again.configurations.len()), (first.header.number, 1));
    early.verified(&again, &before);
    // Without its links a receipt stands on the sets that the file names.
    let bare = LedgerProof { configurations: Vec::new(), ..proof.clone() };
    late.verified(&bare, &after);
    late.refused(&bare, &before, "VF-1902");

    // Nobody leads a verifier elsewhere: a link left out, signed by others, or of another channel.
    let without = LedgerProof {
        configurations: vec![proof.configurations[0].clone(), proof.configurations[2].clone()],
        ..proof.clone()
    };
    late.refused(&without, &after, "VF-1904");
    let mut unsigned = proof.clone();
    unsigned.configurations[1].signatures = proof.configurations[2].signatures.clone();
    late.refused(&unsigned, &after, "VF-1905");
    node.stop().await;
}

/// Somebody with the right certificate makes a channel of the same name: the file tells it apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_of_the_same_name_is_another_one() {
    let authority = authority();
    let [a, b] = [(); 2].map(|()| member(&authority, &["peer", "orderer"]));
    let city = City::new(authority, &a.0);
    let node = city.start(&a);
    let trust = node.trust();
    let City { authority, .. } = city;
    let rogue = City::new(authority, &b.0);
    let theirs = rogue.start(&b);
    let evidence = theirs.submit(b"theirs").await;
    let proof = theirs.proof(&evidence).await;
    evidence.verified(&proof, &theirs.trust());
    evidence.refused(&proof, &trust, "VF-1903");
    theirs.stop().await;
    node.stop().await;
}
