//! A small city: an authority, nodes, an operator, and a ledger that is just enough of one to prove a transaction.

use std::{collections::BTreeMap, convert::Infallible, io, io::Read};

use changbai_core::{
    Agency, BusinessType, CivilDate, Collection, Commitment, ConfigurationProof, CustodyMode,
    EvidenceId, LedgerProof, Opening, OriginalRef, Record, RecordParts, RecordTime, SubmitterRef,
    contract,
};
use changbai_merkle::{Frontier, NodeId, NodeSource, leaf_hash, prove_inclusion};
use changbai_msp::serialize_identity;
use changbai_receipt::{
    BundleParts, ChannelAnchor, HashedOriginal, PackedOriginal, Receipt, Trust,
    disclosures_to_bytes, hash_original, write_bundle,
};
use changbai_wire::{
    Header, NsReadWriteSet, SimulationResult, TransactionLeaf, TxReadWriteSet, ValidationCode,
    ValidatorAddress, Vote, VoteKind, assemble, build_proposal, decode_proposal,
    endorsement_message, envelope_digest,
    proto::{
        kvrwset::{KvWrite, KvrwSet},
        protos::Response,
    },
    quorum, response_payload, seal,
    time::UnixMillis,
    validators_hash,
};
use smkit::{
    Random, RandomError, Sm3Digest,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};

pub(crate) const CHANNEL: &str = "changchun";
pub(crate) const MSP: &str = "ChangchunMSP";
/// 2026-11-22 10:00 in Changchun.
pub(crate) const NOW_MS: u64 = 1_795_312_800_000;
const DAY_S: i64 = 86_400;

/// Random bytes from a seed.
pub(crate) struct Seed(pub(crate) u64);

impl Random for Seed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            let block = sm3(&self.0.to_be_bytes());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Somebody with a certificate.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) certificate: Certificate,
    pub(crate) key: SigningKey,
    pub(crate) msp_id: String,
}

impl Member {
    pub(crate) fn issued(
        authority: &Authority,
        name: &str,
        units: &[&str],
        validity: Validity,
        seed: &mut Seed,
    ) -> Self {
        let private = PrivateKey::generate(seed).unwrap();
        let subject = subject(name, units);
        let certificate = authority
            .issue(&subject, private.public_key(), Profile::Signing, validity, None, seed)
            .unwrap();
        let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        Self { certificate, key, msp_id: MSP.to_owned() }
    }

    pub(crate) fn identity(&self) -> Vec<u8> {
        serialize_identity(&self.msp_id, &self.certificate)
    }

    fn address(&self) -> ValidatorAddress {
        ValidatorAddress::for_key(self.certificate.public_key())
    }
}

pub(crate) fn subject(name: &str, units: &[&str]) -> Subject {
    Subject {
        country: "CN".to_owned(),
        state: "吉林省".to_owned(),
        locality: "长春市".to_owned(),
        organisation: "长春市不动产登记中心".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        common_name: name.to_owned(),
    }
}

pub(crate) fn days(from: i64, to: i64) -> Validity {
    let now = i64::try_from(NOW_MS / 1_000).unwrap();
    Validity { not_before: now + from * DAY_S, not_after: now + to * DAY_S }
}

pub(crate) fn root(seed: &mut Seed) -> Authority {
    Authority::create_root(&subject("长白链根证书", &[]), days(-30, 3_650), seed).unwrap()
}

/// Everything about one evidence; change a field, then [`proof`](Self::proof) makes a world in which it is so.
#[derive(Clone)]
pub(crate) struct City {
    pub(crate) trust: Trust,
    /// The blocks that the receipt's validators are led back to; `None`: block 0 alone, of these validators.
    pub(crate) configurations: Option<Vec<ConfigurationProof>>,
    pub(crate) anchors: Vec<Sm3Digest>,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) validators: Vec<Member>,
    /// Places of the validators that sign, in signing order.
    pub(crate) signing: Vec<usize>,
    pub(crate) creator: Member,
    pub(crate) endorsers: Vec<Member>,
    pub(crate) operator: Member,
    pub(crate) originals: Vec<Vec<u8>>,
    pub(crate) openings: Vec<Opening>,
    pub(crate) record: Record,
    /// What the transaction carries.
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) chaincode: String,
    pub(crate) channel: String,
    pub(crate) header_channel: String,
    pub(crate) status: i32,
    pub(crate) written: Option<Vec<u8>>,
    pub(crate) code: ValidationCode,
    pub(crate) header_time_ms: u64,
    pub(crate) header_number: u64,
    /// Transactions before and after it in the log.
    pub(crate) log: (u64, u64),
}

impl City {
    /// A world with this many validators, all of them peers too, in which everything is right.
    pub(crate) fn new(validators: usize) -> Self {
        let mut seed = Seed(u64::try_from(validators).unwrap() << 32);
        let root = root(&mut seed);
        let units = ["peer", "orderer"];
        let nodes: Vec<_> = (1..=validators)
            .map(|n| Member::issued(&root, &format!("node{n}"), &units, days(-1, 365), &mut seed))
            .collect();
        let operator = Member::issued(&root, "经办员", &["client"], days(-1, 365), &mut seed);
        Self::with(&root, nodes, operator)
    }

    pub(crate) fn with(root: &Authority, nodes: Vec<Member>, operator: Member) -> Self {
        let originals = vec![b"%PDF-1.7 deed of the house".to_vec(), vec![0xff, 0xd8, 7, 7]];
        let openings = vec![
            Opening { name: "right_holder".into(), value: "张三".into(), salt: [7; 32] },
            Opening { name: "right_holder_id".into(), value: "220102".into(), salt: [9; 32] },
        ];
        let record = record(&originals, &openings, &operator, 1_119);
        let bytes = record.to_bytes();
        let roots = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
        let genesis = genesis(CHANNEL, &nodes).header.hash();
        let anchor =
            ChannelAnchor { channel_id: CHANNEL.to_owned(), genesis, validators: Vec::new() };
        Self {
            trust: Trust::new(roots, vec![anchor]).unwrap(),
            configurations: None,
            anchors: vec![root.certificate().sm3()],
            intermediates: Vec::new(),
            signing: (0..nodes.len()).collect(),
            creator: nodes[0].clone(),
            endorsers: vec![nodes[0].clone()],
            validators: nodes,
            operator,
            originals,
            openings,
            record,
            args: vec![contract::CREATE.as_bytes().to_vec(), bytes.clone()],
            chaincode: contract::NAME.to_owned(),
            channel: CHANNEL.to_owned(),
            header_channel: CHANNEL.to_owned(),
            status: 200,
            written: Some(bytes),
            code: ValidationCode::Valid,
            header_time_ms: NOW_MS + 500,
            header_number: 8,
            log: (5, 3),
        }
    }

    pub(crate) fn envelope(&self) -> Vec<u8> {
        let time = UnixMillis(NOW_MS + 10);
        let creator = self.creator.identity();
        let (tx_id, proposal) =
            build_proposal(&self.channel, &self.chaincode, &self.args, &creator, &[3; 24], time);
        let hash = decode_proposal(&proposal).unwrap().hash;
        let writes = self.written.iter().map(|record| KvWrite {
            key: contract::record_key(self.record.id()),
            is_delete: false,
            value: contract::StoredRecord { tx_id: *tx_id.digest(), record: record.clone() }
                .to_bytes(),
        });
        let set = KvrwSet { writes: writes.collect(), ..KvrwSet::default() };
        let results = TxReadWriteSet {
            namespaces: vec![NsReadWriteSet { namespace: self.chaincode.clone(), set }],
        };
        let response = Response { status: self.status, ..Response::default() };
        let payload = response_payload(
            &hash,
            &SimulationResult {
                results: &results,
                event: None,
                response: &response,
                chaincode_name: &self.chaincode,
                chaincode_version: "1",
            },
        );
        let endorsements: Vec<_> = self
            .endorsers
            .iter()
            .map(|endorser| {
                let identity = endorser.identity();
                let message = endorsement_message(&payload, &identity);
                (identity, endorser.key.sign(&message).to_der())
            })
            .collect();
        let payload = assemble(&proposal, &payload, &endorsements).unwrap();
        let signature = self.creator.key.sign(&payload).to_der();
        seal(payload, signature)
    }

    pub(crate) fn proof(&self) -> LedgerProof {
        self.proof_of(self.envelope())
    }

    pub(crate) fn proof_of(&self, envelope: Vec<u8>) -> LedgerProof {
        let leaf = TransactionLeaf {
            block_number: 7,
            index: 2,
            code: self.code,
            envelope: envelope_digest(&envelope),
        };
        let (before, after) = self.log;
        let mut tree = Tree::default();
        (0..before).for_each(|n| tree.append(sm3(&n.to_be_bytes())));
        tree.append(leaf_hash(&leaf.to_bytes()));
        (0..after).for_each(|n| tree.append(sm3(&[9, n as u8])));
        let size = before + after + 1;
        let header = Header {
            number: self.header_number,
            previous_hash: sm3(b"previous"),
            data_hash: sm3(b"data"),
            channel_id: self.header_channel.clone(),
            time_ms: self.header_time_ms,
            time_bound_us: 1_200,
            log_size: size,
            log_root: tree.frontier.root(),
            validators_hash: set_hash(&self.header_channel, &self.validators),
            config_number: 1,
        };
        let first = || vec![genesis(&self.header_channel, &self.validators)];
        LedgerProof {
            leaf,
            inclusion: prove_inclusion(&tree, before, size).unwrap(),
            round: 1,
            signatures: self.sign(&header, 1),
            header,
            envelope,
            validators: self.validators.iter().map(|v| v.certificate.der().to_vec()).collect(),
            intermediates: self.intermediates.iter().map(|c| c.der().to_vec()).collect(),
            anchors: self.anchors.clone(),
            configurations: self.configurations.clone().unwrap_or_else(first),
        }
    }

    /// The precommits of those who sign.
    pub(crate) fn sign(&self, header: &Header, round: u32) -> Vec<(ValidatorAddress, Vec<u8>)> {
        let signing: Vec<_> = self.signing.iter().map(|place| &self.validators[*place]).collect();
        precommits(&signing, header, round)
    }

    pub(crate) fn receipt(&self) -> Vec<u8> {
        Receipt::from_proof(&self.proof()).unwrap().to_bytes().unwrap()
    }

    pub(crate) fn disclosures(&self) -> Vec<u8> {
        disclosures_to_bytes(&self.openings).unwrap()
    }

    /// The whole bundle file.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        let receipt = self.receipt();
        pack(self.record.as_bytes(), &receipt, Some(&self.disclosures()), &self.originals)
    }

    pub(crate) fn supplied(&self) -> Vec<HashedOriginal> {
        self.originals.iter().map(|bytes| hashed(bytes)).collect()
    }

    pub(crate) fn quorum(&self) -> usize {
        quorum(self.validators.len())
    }
}

/// Block 0 of a channel with these validators; its configuration is not needed while they are in office.
pub(crate) fn genesis(channel: &str, validators: &[Member]) -> ConfigurationProof {
    let header = Header {
        number: 0,
        previous_hash: Sm3Digest::new([0; 32]),
        data_hash: sm3(b"configuration"),
        channel_id: channel.to_owned(),
        time_ms: NOW_MS - 1_000_000,
        time_bound_us: 0,
        log_size: 0,
        log_root: Frontier::new().root(),
        validators_hash: set_hash(channel, validators),
        config_number: 0,
    };
    ConfigurationProof { header, round: 0, signatures: Vec::new(), envelope: Vec::new() }
}

pub(crate) fn set_hash(channel: &str, validators: &[Member]) -> Sm3Digest {
    let members: Vec<_> =
        validators.iter().map(|v| (v.address(), v.certificate.public_key())).collect();
    validators_hash(channel, &members)
}

/// Precommits of these members over a header.
pub(crate) fn precommits(
    signing: &[&Member],
    header: &Header,
    round: u32,
) -> Vec<(ValidatorAddress, Vec<u8>)> {
    signing
        .iter()
        .map(|member| {
            let vote = Vote {
                channel_id: header.channel_id.clone(),
                kind: VoteKind::Precommit,
                height: header.number,
                round,
                block: Some(header.hash()),
                validator: member.address(),
            };
            (member.address(), member.key.sign(&vote.sign_bytes()).to_der())
        })
        .collect()
}

/// Packs parts canonically, right or wrong.
pub(crate) fn pack(
    record: &[u8],
    receipt: &[u8],
    disclosures: Option<&[u8]>,
    originals: &[Vec<u8>],
) -> Vec<u8> {
    let parts = BundleParts {
        record,
        receipt,
        disclosures,
        originals: packed(originals),
        ..BundleParts::default()
    };
    let mut out = Vec::new();
    write_bundle(&mut out, &parts, &mut |o| open(originals, o)).unwrap();
    out
}

pub(crate) fn packed(originals: &[Vec<u8>]) -> Vec<PackedOriginal> {
    originals
        .iter()
        .enumerate()
        .map(|(at, bytes)| PackedOriginal {
            position: at + 1,
            media_type: MEDIA_TYPES[at].to_owned(),
            size_bytes: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
            sm3: sm3(bytes),
        })
        .collect()
}

pub(crate) fn open<'a>(
    originals: &'a [Vec<u8>],
    original: &PackedOriginal,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(Box::new(originals[original.position - 1].as_slice()))
}

pub(crate) fn hashed(bytes: &[u8]) -> HashedOriginal {
    hash_original("a file", &mut &*bytes).unwrap()
}

pub(crate) fn record(
    originals: &[Vec<u8>],
    openings: &[Opening],
    operator: &Member,
    serial: u64,
) -> Record {
    let agency = "11220100MB9999999R".parse().unwrap();
    let date = CivilDate::in_china(UnixMillis(NOW_MS)).unwrap();
    let personal: BTreeMap<String, Commitment> =
        openings.iter().map(|o| (o.name.clone(), o.commitment())).collect();
    let fields = [
        ("business_no", "2026-001"),
        ("registration_type", "首次登记"),
        ("unit_no", "220102001001GB00001F00010001"),
    ];
    Record::new(RecordParts {
        id: EvidenceId::compose("220100", &agency, date, serial).unwrap(),
        agency: Agency {
            code: agency, msp_id: MSP.into(), name: "长春市不动产登记中心".into()
        },
        batch: None,
        business_type: BusinessType::RealEstateRegistration,
        collection: Collection::default(),
        fields: fields.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        originals: originals
            .iter()
            .zip(MEDIA_TYPES)
            .map(|(bytes, media_type)| OriginalRef {
                sm3: sm3(bytes),
                size_bytes: bytes.len() as u64,
                media_type: media_type.to_owned(),
                custody: CustodyMode::Platform,
            })
            .collect(),
        personal,
        previous: None,
        submitter: SubmitterRef {
            certificate_sm3: operator.certificate.sm3(),
            subject: operator.certificate.subject(),
        },
        time: RecordTime { at_ms: NOW_MS, bound_us: Some(900) },
    })
    .unwrap()
}

const MEDIA_TYPES: [&str; 2] = ["application/pdf", "image/jpeg"];

#[derive(Default)]
struct Tree {
    frontier: Frontier,
    nodes: BTreeMap<NodeId, Sm3Digest>,
}

impl Tree {
    fn append(&mut self, leaf: Sm3Digest) {
        let nodes = &mut self.nodes;
        self.frontier
            .append(leaf, &mut |id, hash| {
                nodes.insert(id, hash);
            })
            .unwrap();
    }
}

impl NodeSource for Tree {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.nodes.get(&id).copied())
    }
}
