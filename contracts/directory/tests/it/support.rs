use std::collections::BTreeMap;

use changbai_contract::{ContractError, MockContext};
use changbai_contract_directory::DirectoryContract;
use changbai_core::contract::{AnchoredProcess, StoredRecord, anchor_key, record_key};
use changbai_core::directory::Gate;
use changbai_core::process::{
    Actor, ActorRole, AnchorProof, PageProof, ProcessDocument, ProcessEntry, Step, detail,
    head_leaf,
};
use changbai_core::{
    Agency, BusinessType, CivilDate, Collection, CustodyMode, EvidenceId, OriginalRef, Record,
    RecordParts, RecordTime, SubmitterRef,
};
use changbai_merkle::{InclusionProof, leaf_hash};
use changbai_msp::serialize_identity;
use changbai_wire::time::UnixMillis;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, Sm3Digest, sm3};
use smkit_pki::{Authority, Certificate, Profile, Subject, Validity};

pub(crate) const MSP: &str = "RegistryMSP";
pub(crate) const CHANNEL: &str = "changchun";
pub(crate) const NUMBER: &str = "吉网信备22010624273626860016号";
const AT_MS: u64 = 1_795_276_800_000;

pub(crate) struct Member {
    pub(crate) certificate: Certificate,
    key: SigningKey,
}

pub(crate) fn authority(name: &str) -> Authority {
    Authority::create_root(&subject(name, "ca"), validity(), &mut OsRandom).unwrap()
}

pub(crate) fn member(authority: &Authority, name: &str, unit: &str) -> Member {
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = subject(name, unit);
    let certificate = authority
        .issue(&subject, private.public_key(), Profile::Signing, validity(), None, &mut OsRandom)
        .unwrap();
    Member { certificate, key: SigningKey::new(private, SignerId::DEFAULT).unwrap() }
}

fn subject(name: &str, unit: &str) -> Subject {
    Subject {
        organisation: "登记中心".to_owned(),
        organisational_units: vec![unit.to_owned()],
        common_name: name.to_owned(),
        ..Subject::default()
    }
}

fn validity() -> Validity {
    Validity { not_before: 1_700_000_000, not_after: 1_900_000_000 }
}

/// A record that passes every gate; change a field and it does not.
pub(crate) struct City {
    pub(crate) ledger: MockContext,
    pub(crate) authority: Authority,
    pub(crate) node: Member,
    pub(crate) client: Member,
    pub(crate) bound_us: Option<u32>,
    pub(crate) declared: bool,
    /// What is shown in place of the authority's certificate.
    pub(crate) shown_authority: Option<Vec<u8>>,
    /// The document that was handed out.
    pub(crate) handed_out: Sm3Digest,
    /// Entries that the anchor covers.
    pub(crate) anchored: u32,
    /// Whether the anchor is on the ledger.
    pub(crate) on_ledger: bool,
    pub(crate) skipped: Option<Step>,
    pub(crate) signer: Option<Member>,
}

impl City {
    pub(crate) fn new() -> Self {
        let authority = authority("root");
        let node = member(&authority, "node", "peer");
        let client = member(&authority, "client", "client");
        Self {
            ledger: MockContext::new(),
            authority,
            node,
            client,
            bound_us: Some(900),
            declared: true,
            shown_authority: None,
            handed_out: document(),
            anchored: 6,
            on_ledger: true,
            skipped: None,
            signer: None,
        }
    }

    fn record(&self) -> Record {
        let agency = "11220100MB9999999R".parse().unwrap();
        let date = CivilDate::in_china(UnixMillis(AT_MS)).unwrap();
        Record::new(RecordParts {
            id: EvidenceId::compose("220100", &agency, date, 7).unwrap(),
            agency: Agency {
                code: agency, msp_id: MSP.to_owned(), name: "登记中心".to_owned()
            },
            batch: None,
            business_type: BusinessType::General,
            collection: Collection::default(),
            fields: BTreeMap::new(),
            originals: vec![OriginalRef {
                sm3: sm3(b"original"),
                size_bytes: 8,
                media_type: "text/plain".to_owned(),
                custody: CustodyMode::Submitter,
            }],
            personal: BTreeMap::new(),
            previous: None,
            submitter: SubmitterRef {
                certificate_sm3: self.client.certificate.sm3(),
                subject: self.client.certificate.subject(),
            },
            time: RecordTime { at_ms: AT_MS, bound_us: self.bound_us },
        })
        .unwrap()
    }

    fn log(&self, record: &Record) -> ProcessDocument {
        let signer = self.signer.as_ref().unwrap_or(&self.node);
        let node = Actor::known(signer.certificate.sm3(), ActorRole::Node);
        let client = Actor::known(self.client.certificate.sm3(), ActorRole::Client);
        let tx = sm3(b"the record's transaction");
        let entry = |step, actor, detail| ProcessEntry {
            step,
            at: RecordTime { at_ms: AT_MS, bound_us: self.bound_us },
            actor,
            detail,
        };
        let mut entries = vec![
            entry(Step::Collected, client, detail::collected(record)),
            entry(Step::Hashed, node, detail::hashed(record)),
            entry(Step::Submitted, node, detail::submitted(record)),
            entry(Step::Endorsed, node, tx),
            entry(Step::Committed, node, detail::committed(&tx, 3, 0)),
            entry(Step::Exported, client, self.handed_out),
            entry(Step::Viewed, Actor::PUBLIC, detail::submitted(record)),
        ];
        entries.retain(|entry| Some(entry.step) != self.skipped);
        let alone = || InclusionProof { index: 0, size: 1, path: Vec::new() };
        let page = PageProof { number: 1, previous: sm3(b""), root: sm3(b""), inclusion: alone() };
        let mut log = ProcessDocument {
            channel: CHANNEL.to_owned(),
            record: *record.id(),
            record_sm3: sm3(record.as_bytes()),
            entries,
            certificate: signer.certificate.der().to_vec(),
            page,
            signature: Vec::new(),
            anchor: None,
        };
        log.page.root = leaf_hash(log.head().as_bytes());
        let digest = log.chain()[self.anchored as usize - 1].digest();
        log.anchor = Some(AnchorProof {
            batch: 1,
            tx_id: sm3(b"anchor tx"),
            sequence: self.anchored,
            root: head_leaf(&log.record_sm3, self.anchored, &digest),
            inclusion: alone(),
        });
        let message = log.signed(signer.certificate.sm3()).message();
        log.signature = signer.key.sign(&message).to_der();
        log
    }

    /// Asks for admission; what the contract says.
    pub(crate) fn admit(&mut self) -> Result<Vec<u8>, ContractError> {
        let record = self.record();
        let log = self.log(&record);
        self.ledger.set_channel(CHANNEL);
        self.ledger.set_caller(MSP, "CN=node");
        self.ledger.set_identity(&serialize_identity(MSP, &self.node.certificate));
        let tx_id = sm3(b"the record's transaction");
        let stored = StoredRecord { tx_id, record: record.to_bytes() }.to_bytes();
        self.ledger.set_state_of("evidence", &record_key(record.id()), Some(&stored));
        let anchor = log.anchor.clone().unwrap();
        let on_ledger = AnchoredProcess {
            batch: 1,
            page: 1,
            page_hash: sm3(b"page"),
            root: anchor.root,
            heads: 1,
            tx_id: anchor.tx_id,
        };
        let signer = self.signer.as_ref().unwrap_or(&self.node).certificate.sm3();
        let value = on_ledger.to_bytes();
        let value = self.on_ledger.then_some(value.as_slice());
        self.ledger.set_state_of("evidence", &anchor_key(&signer, 1), value);
        if self.declared {
            self.call("Declare", &[NUMBER.as_bytes()]).unwrap();
        }
        let authority = self.shown_authority.clone();
        let authority = authority.unwrap_or_else(|| self.authority.certificate().der().to_vec());
        let submitter = self.client.certificate.der().to_vec();
        let (id, certificate) = (record.id().to_string(), document().to_string());
        let log = log.to_bytes().unwrap();
        self.call("Admit", &[id.as_bytes(), certificate.as_bytes(), &submitter, &authority, &log])
    }

    pub(crate) fn call(
        &mut self,
        function: &str,
        args: &[&[u8]],
    ) -> Result<Vec<u8>, ContractError> {
        self.ledger.call(&DirectoryContract, function, args)
    }

    pub(crate) fn id(&self) -> String {
        self.record().id().to_string()
    }
}

/// SM3 of the certificate's document that is shown.
pub(crate) fn document() -> Sm3Digest {
    sm3(b"%PDF certificate")
}

/// The gates that a refusal names.
pub(crate) fn gates(result: Result<Vec<u8>, ContractError>) -> Vec<Gate> {
    match result.unwrap_err() {
        ContractError::Refused { code, payload, .. } => {
            assert_eq!(code, "EV-4220");
            Gate::from_payload(&payload)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn code(result: Result<Vec<u8>, ContractError>) -> String {
    match result.unwrap_err() {
        ContractError::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}
