//! Writes `fuzz/seeds` anew: one or a few small, valid inputs for each target, the same bytes each time.
//!
//! `cd fuzz && cargo run --example seeds`

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use changbai_api::signature::{BodyToSign, RequestSigner, RequestToSign};
use changbai_channel::Block;
use changbai_consensus::{Action, CommitCertificate, Event, Origin, ProposalStatement};
use changbai_core::contract::{RecordPage, StoredRecord, Version, VersionChain};
use changbai_core::{BatchEntry, BatchLeaf, BatchTree};
use changbai_fuzz::consensus::{CHANNEL, KEYS, SET, engine};
use changbai_fuzz::{custody, joined};
use changbai_msp::{
    ChannelConfig, ConfigUpdate, Organisation, Policy, Sender, ValidatorConfig, apply,
};
use changbai_network::calls::CallMessage;
use changbai_network::frame::{self, Control};
use changbai_network::hello::{Greeting, Hello, Message, Opening, Proof, Side, VERSION};
use changbai_network::{CallRefusal, StreamKind};
use changbai_receipt::{ChannelAnchor, Receipt, Trust};
use changbai_storage::{BlockLog, LogOptions, StdFiles};
use changbai_wire::proto::{kvrwset, protos};
use changbai_wire::time::UnixMillis;
use changbai_wire::{
    EndorsedResponse, Header, NsReadWriteSet, PeerMessage, PeerStatus, ProposalResponse, Refused,
    SignedProposal, SimulationResult, TxReadWriteSet, ValidationCode, ValidatorAddress, Vote,
    VoteKind, assemble, build_proposal, data_hash, decode_proposal, envelope_digest,
    response_payload, seal,
};
use prost::Message as _;
use smkit::Sm3Digest;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3;
use smkit_pki::{Authority, Profile, Subject, TrustAnchors};

/// The small city of the receipt tests.
#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
#[path = "../../evidence/receipt/tests/it/fixture.rs"]
mod fixture;

#[path = "seeds/documents.rs"]
mod documents;
#[path = "seeds/kit.rs"]
mod kit;
#[path = "seeds/transparency.rs"]
mod transparency;

use fixture::{City, MSP, Member, Seed, days};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut random = Seed(7 << 32);
    let subject = subject("root", &[]);
    let authority = Authority::create_root(&subject, days(-30, 3_650), &mut random)?;
    let node = member(&authority, "node", &["peer", "orderer"], &mut random)?;
    let operator = member(&authority, "clerk", &["client"], &mut random)?;
    evidence(&City::with(&authority, vec![node.clone()], operator.clone()))?;
    ledger(&authority, &node)?;
    consensus()?;
    keys(&node)?;
    for (target, name, bytes) in changbai_fuzz::pki::seeds() {
        seed(target, name, &bytes)?;
    }
    for (target, name, bytes) in transparency::seeds()? {
        seed(target, name, &bytes)?;
    }
    kit::seeds()?;
    chrony()?;
    tls()?;
    requests(operator)?;
    network(&node)?;
    tlcp()
}

/// The example of chronyc(1), as chronyd sends it.
fn chrony() -> Outcome {
    let reply = include_str!("../../evidence/time/testdata/reply.hex");
    let bytes: Result<Vec<u8>, _> = (0..reply.trim().len() / 2)
        .map(|at| u8::from_str_radix(reply.get(2 * at..2 * at + 2).unwrap_or_default(), 16))
        .collect();
    seed("chrony_reply", "manual", &bytes?)
}

/// The opening of a link, frames of one, and calls.
fn network(node: &Member) -> Outcome {
    let greeting = Greeting { version: VERSION, nonce: [7; 32] };
    seed("network_hello", "greeting", &greeting.encode())?;
    let opening = Opening {
        channel: "city",
        genesis: sm3(b"genesis"),
        kind: StreamKind::Sync,
        dialler_nonce: [7; 32],
        acceptor_nonce: [8; 32],
        dialler: sm3(&node.identity()),
        dialler_tls: sm3(b"dialler"),
        acceptor_tls: sm3(b"acceptor"),
    };
    let identity = node.identity();
    let signature = node.key.sign(&opening.message(Side::Dialler, 1, &identity));
    let proof = Proof { incarnation: 1, identity, signature };
    let (kind, channel, genesis) = (opening.kind, opening.channel.to_owned(), opening.genesis);
    let hello = Hello { kind, channel, genesis, proof: proof.clone() };
    seed("network_hello", "hello", &Message::Hello(hello).encode())?;
    seed("network_hello", "welcome", &Message::Welcome(proof).encode())?;
    seed("network_hello", "verdict", &Message::Verdict(1101).encode())?;

    let mut frames = BytesMut::new();
    frame::write_control(&mut frames, Control::Ping(5));
    frame::write_header(&mut frames, b"vote");
    frames.extend_from_slice(b"vote");
    frame::write_control(&mut frames, Control::Bye(1403));
    seed("network_frame", "three", &[[3].as_slice(), &frames].concat())?;

    let request = Bytes::from_static(b"question");
    let refusal = CallRefusal { code: "NW-3001".to_owned(), text: "no".to_owned() };
    for (name, message) in [
        ("request", CallMessage::Request { id: 1, method: 2, deadline_ms: 500, request }),
        ("answer", CallMessage::Answer { id: 1, answer: Bytes::from_static(b"answer") }),
        ("refused", CallMessage::Refused { id: 1, refusal }),
        ("busy", CallMessage::Busy { id: 1 }),
    ] {
        seed("network_call", name, &message.encode())?;
    }
    Ok(())
}

/// Hellos as they are sent, and handshakes with one edit each.
fn tlcp() -> Outcome {
    seed("tlcp_bytes", "hello", &[[7].as_slice(), &changbai_fuzz::tlcp::hello(0)].concat())?;
    seed("tlcp_bytes", "tls13", b"\x01\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")?;
    for target in ["tlcp_server", "tlcp_client"] {
        // Untouched, resumed, a flipped bit, a record in two halves.
        seed(target, "ecc", &[1])?;
        seed(target, "ecdhe", &[4, 1, 0, 0, 9, 1])?;
        seed(target, "resumed", &[4 + 8 + 16])?;
        seed(target, "halves", &[5, 1, 3, 0, 9, 0])?;
    }
    Ok(())
}

/// Names are short: the same certificate stands in many seeds.
fn subject(name: &str, units: &[&str]) -> Subject {
    let organisational_units = units.iter().map(|unit| (*unit).to_owned()).collect();
    Subject { common_name: name.to_owned(), organisational_units, ..Subject::default() }
}

fn member(
    authority: &Authority,
    name: &str,
    units: &[&str],
    random: &mut Seed,
) -> Result<Member, Box<dyn Error>> {
    let key = PrivateKey::generate(random)?;
    let (subject, validity) = (subject(name, units), days(-1, 365));
    let profile = Profile::Signing;
    let certificate =
        authority.issue(&subject, key.public_key(), profile, validity, None, random)?;
    let key = SigningKey::new(key, SignerId::DEFAULT)?;
    Ok(Member { certificate, key, msp_id: MSP.to_owned() })
}

/// An update of the configuration that the target knows, and the transaction that carries its result.
fn updates(authority: &Authority, config: &ChannelConfig) -> Outcome {
    let admin = member(authority, "admin", &["admin"], &mut Seed(11 << 32))?;
    let identity = admin.identity();
    let sender = Sender { identity: &identity, key: &admin.key };
    let mut next = config.clone();
    next.batch.timeout_ms = 20;
    let update = ConfigUpdate::compute(config, &next)?;
    seed("config_update", "bare", update.as_bytes())?;
    let consent = update.sign(sender, b"nonce");
    let handed_on = update.with_signatures(std::slice::from_ref(&consent));
    seed("config_update", "handed-on", &handed_on)?;
    let time = UnixMillis(fixture::NOW_MS);
    let envelope = update.to_envelope(&[consent], sender, b"sent", time);
    seed("config_update", "signed", &envelope)?;
    let at_unix_s = i64::try_from(fixture::NOW_MS / 1_000)?;
    let changed = apply(config, &envelope, at_unix_s)?;
    let later = changed.to_config_envelope(&envelope)?;
    seed("transaction", "config", &later)?;
    seed("channel_config", "later", &later)
}

fn batch() -> Outcome {
    let leaf = |number: u64| BatchLeaf {
        size_bytes: Some(number),
        media_type: Some("application/pdf".to_owned()),
        reference: Some(format!("A-{number}")),
        ..BatchLeaf::of(sm3(&number.to_be_bytes()))
    };
    let (one, two) = (leaf(1), leaf(2));
    let lines = format!(
        "{{\"batch\":{{\"fields\":{{\"title\":\"a\"}}}}}}\n{{\"sm3\":\"{}\"}}\n{{\"sm3\":\"{}\",\"size_bytes\":2,\"ref\":\"A-2\"}}\n",
        one.sm3, two.sm3
    );
    seed("batch", "lines", lines.as_bytes())?;
    let tree = BatchTree::new(&[one.hash(), two.hash(), leaf(3).hash()]).ok_or("a tree")?;
    let entry = BatchEntry { leaf: two.clone(), inclusion: tree.path(1).ok_or("a path")? };
    seed("batch", "entry", &entry.to_bytes()?)?;
    seed("batch", "leaf", &two.to_bytes())
}

fn evidence(city: &City) -> Outcome {
    let record = city.record.to_bytes();
    let disclosures = city.disclosures();
    // Everything is right but the transaction, which has a target of its own and would be half of all seeds.
    let mut receipt = Receipt::from_proof(&city.proof())?;
    receipt.envelope = b"an envelope".to_vec();
    let receipt = receipt.to_bytes()?;
    let originals = [b"%PDF-1.7".to_vec()];
    let bundle = fixture::pack(&record, &receipt, Some(&disclosures), &originals);
    seed("bundle", "whole", &bundle)?;
    seed("receipt", "whole", &receipt)?;
    seed("disclosures", "two", &disclosures)?;
    seed("record", "whole", &record)?;
    seed("evidence_id", "vector", b"CC22010011220100MB9999999R2026112200000000012ZU")?;
    seed("custody_envelope", "intact", &custody::Store::new().intact)?;
    seed(
        "custody_names",
        "cid",
        b"bafk43jqbebtmp4humlxo3wor6lkgxxaq4trecz6eq5opf55cff62ak4pjouoa",
    )?;
    seed("custody_names", "s3", b"s3+http://10.1.2.3:9000/box/a?region=jl-1")?;
    seed("custody_names", "ipfs", b"ipfs+gmtls://[fd00::1]:5001/originals")?;
    seed("custody_names", "legacy_header", b"eyJ0aW1lIjoiMjAyNC0wMS0wMSJ9")?;

    let stored = StoredRecord { tx_id: sm3(b"transaction"), record: b"{}".to_vec() };
    let page = RecordPage { records: vec![stored], cursor: "next".to_owned() };
    let id = *city.record.id();
    let version = Version { id, tx_id: sm3(b"transaction"), at_ms: fixture::NOW_MS };
    let chain = VersionChain { versions: vec![version], truncated: false };
    seed("certificate_pdf", "two-revisions", &documents::pdf())?;
    seed("font", "tables", &documents::font())?;
    seed("contract_answer", "page", &page.to_bytes())?;
    seed("contract_answer", "versions", &chain.to_bytes())
}

fn ledger(authority: &Authority, node: &Member) -> Outcome {
    transaction()?;
    seed("identity", "node", &node.identity())?;
    let roots = vec![authority.certificate().clone()];
    let roots = TrustAnchors::from_certificates(roots);
    let organisation = Organisation::new(MSP, "长春", roots);
    let validator = ValidatorConfig::new(MSP, node.certificate.clone(), 0);
    let config = ChannelConfig::new(CHANNEL, vec![organisation], vec![validator])?;
    let genesis = config.to_genesis_envelope();
    seed("channel_config", "genesis", &genesis)?;
    seed("channel_file", "inline", config.to_toml().as_bytes())?;
    let root = authority.certificate().clone();
    let mut trust = vec![ChannelAnchor {
        channel_id: CHANNEL.to_owned(),
        genesis: sm3(&genesis),
        validators: vec![config.validators_hash()],
    }];
    let roots = TrustAnchors::from_certificates(vec![root]);
    seed("trust_file", "channel", Trust::new(roots.clone(), trust.clone())?.to_text().as_bytes())?;
    trust.clear();
    seed("trust_file", "roots", Trust::new(roots, trust)?.to_text().as_bytes())?;
    updates(authority, &config)?;

    let policy = "OutOf(2, 'CityMSP.peer', AND('CourtMSP.member', 'NotaryMSP.admin'))";
    seed("policy", "meta", b"MAJORITY Endorsement")?;
    seed("policy", "text", policy.as_bytes())?;
    seed("policy", "message", &Policy::parse(policy)?.to_proto().encode_to_vec())?;
    blocks()
}

fn transaction() -> Outcome {
    let args = [b"Create".to_vec(), b"{}".to_vec()];
    let time = UnixMillis(fixture::NOW_MS);
    let (tx_id, proposal) = build_proposal(CHANNEL, "evidence", &args, b"creator", &[7; 24], time);
    seed("proposal", "small", &proposal)?;
    seed("signed_proposal", "small", &SignedProposal::encode(proposal.clone(), vec![0x30, 1]))?;

    let version = Some(kvrwset::Version { block_num: 3, tx_num: 1 });
    let read = |key: &str| kvrwset::KvRead { key: key.to_owned(), version };
    let write = |key: &str, value: &[u8]| kvrwset::KvWrite {
        key: key.to_owned(),
        is_delete: value.is_empty(),
        value: value.to_vec(),
    };
    let seen = kvrwset::QueryReads { kv_reads: vec![read("b")] };
    let set = kvrwset::KvrwSet {
        reads: vec![read("dup/1"), read("rec/1")],
        writes: vec![write("dup/1", b"id"), write("gone", b"")],
        range_queries_info: vec![kvrwset::RangeQueryInfo {
            start_key: "a".to_owned(),
            end_key: "c".to_owned(),
            itr_exhausted: true,
            reads_info: Some(kvrwset::range_query_info::ReadsInfo::RawReads(seen)),
        }],
        metadata_writes: Vec::new(),
    };
    let namespaces = vec![NsReadWriteSet { namespace: "evidence".to_owned(), set }];
    let results = TxReadWriteSet { namespaces };
    let event = protos::ChaincodeEvent {
        chaincode_id: "evidence".to_owned(),
        tx_id: tx_id.to_string(),
        event_name: "created".to_owned(),
        payload: b"id".to_vec(),
    };
    let response = protos::Response { status: 200, ..protos::Response::default() };
    let simulation = SimulationResult {
        results: &results,
        event: Some(&event),
        response: &response,
        chaincode_name: "evidence",
        chaincode_version: "1",
    };
    let hash = decode_proposal(&proposal).map_err(|(_, reason)| reason)?.hash;
    let answer = response_payload(&hash, &simulation);
    let endorsed = EndorsedResponse {
        payload: answer.clone(),
        endorser: b"peer".to_vec(),
        signature: vec![0x30, 1],
        response: response.clone(),
    };
    let message = "EV-4090: already recorded".to_owned();
    let refused = Refused { status: 500, message, payload: b"id".to_vec() };
    seed("proposal_response", "endorsed", &ProposalResponse::Endorsed(endorsed).to_bytes())?;
    seed("proposal_response", "refused", &ProposalResponse::Refused(refused).to_bytes())?;
    let payload = assemble(&proposal, &answer, &[(b"peer".to_vec(), vec![0x30, 1])])?;
    seed("transaction", "small", &seal(payload, vec![0x30, 2]))?;
    seed("transaction", "rwset", &results.to_bytes())
}

/// A channel of two blocks as one file.
fn export(second: Block) -> Outcome {
    let mut first = second.clone();
    first.header = Header { number: 0, previous_hash: Sm3Digest::new([0; 32]), ..first.header };
    first.certificate = None;
    let mut second = second;
    second.header.previous_hash = first.header.hash();
    second.certificate = Some(certificate(1, second.header.hash(), 1));
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("blocks");
    let (mut log, _) = BlockLog::open(Arc::new(StdFiles), &path, LogOptions::default(), None)?;
    log.append(0, &first.to_bytes(), &[])?;
    log.append(1, &second.to_bytes(), &[])?;
    let mut file = vec![1];
    changbai_channel::archive::export(dir.path(), 0, None, &mut file, &mut |_| ())?;
    seed("channel_export", "two", &file)
}

fn blocks() -> Outcome {
    let envelopes = vec![b"an envelope".to_vec()];
    let header = Header {
        number: 1,
        previous_hash: sm3(b"genesis"),
        data_hash: data_hash(&[envelope_digest(&envelopes[0])]),
        channel_id: CHANNEL.to_owned(),
        time_ms: fixture::NOW_MS,
        time_bound_us: 0,
        log_size: 1,
        log_root: sm3(b"root"),
        validators_hash: sm3(b"validators"),
        config_number: 0,
    };
    let certificate = Some(certificate(header.number, header.hash(), 1));
    let block = Block { header, envelopes, codes: vec![ValidationCode::Valid], certificate };
    seed("block", "one", &block.to_bytes())?;
    export(block)?;

    let identity = [b'i'; 64];
    let content = [b"before".as_slice(), &identity, b"between", &identity].concat();
    let dir = tempfile::tempdir()?;
    let options = LogOptions::default();
    let (mut log, _) = BlockLog::open(Arc::new(StdFiles), dir.path(), options, None)?;
    log.append(0, &content, &[&identity])?;
    log.append(1, &identity, &[&identity])?;
    drop(log);
    let file = fs::read_dir(dir.path())?.next().ok_or("one segment")??.path();
    seed("block_segment", "segment", &[b"\x02".as_slice(), &fs::read(file)?].concat())?;

    // One definition, named twice, with literals around it.
    let mut plain = b"\x00\x00\x00\x00\x86\x00\x01\x00\x40".to_vec();
    plain.extend([b'i'; 64]);
    plain.extend(2_u32.to_be_bytes());
    for literal_bytes in [2_u32, 1] {
        plain.extend(literal_bytes.to_be_bytes());
        plain.extend(b"\xff\xff\xff\xff\x00\x00");
    }
    plain.extend(b"abcdef");
    seed("block_segment", "plain", &plain)
}

fn consensus() -> Outcome {
    let block = sm3(b"header");
    let votes = |kind| KEYS[1..].iter().map(move |key| vote(key, kind, block));
    let mut messages = vec![proposal(&KEYS[1], block), Vec::new()];
    messages.extend(votes(VoteKind::Prevote).chain(votes(VoteKind::Precommit)));
    let pieces: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    seed("consensus_message", "decided", &joined(&pieces))?;
    assert!(decides(&messages)?, "the seed reaches a decision");
    seed("consensus_message", "certificate", &certificate(1, block, 2).to_bytes()?)?;
    let timers: [&[u8]; 4] = [&[0], pieces[2], pieces[3], &[1]];
    seed("consensus_message", "timers", &joined(&timers))?;

    let (height, hash) = (1, block);
    let status = PeerStatus { genesis: block, height, tip: block, config_number: 0 };
    let peer_messages = [
        ("vote", PeerMessage::Consensus(pieces[2].to_vec())),
        ("body", PeerMessage::Body { height, round: 0, hash, block: b"block".to_vec() }),
        ("body_request", PeerMessage::BodyRequest { height, hash }),
        ("status", PeerMessage::Status(status)),
        ("blocks_request", PeerMessage::BlocksRequest { from: 1, count_max: 64 }),
        ("blocks", PeerMessage::Blocks { from: 1, blocks: vec![b"one".to_vec(), b"two".to_vec()] }),
        ("transactions", PeerMessage::Transactions(vec![b"envelope".to_vec()])),
    ];
    for (name, message) in peer_messages {
        seed("peer_message", name, &message.encode()?)?;
    }

    let (mut engine, mut records) = (engine(), Vec::new());
    let mut actions = engine.start(1, SET.clone())?;
    for message in messages.iter().take(4) {
        actions.extend(engine.step(event(message))?);
    }
    for action in actions {
        if let Action::Wal(record) = action {
            records.push([&[record.kind], record.bytes.as_slice()].concat());
        }
    }
    let pieces: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    seed("consensus_wal", "prevoted", &joined(&pieces))?;
    seed("wal_records", "two", &joined(&[b"a vote", b"a proposal"]))
}

fn decides(messages: &[Vec<u8>]) -> Result<bool, Box<dyn Error>> {
    let mut engine = engine();
    engine.start(1, SET.clone())?;
    for message in messages {
        engine.step(event(message))?;
    }
    Ok(engine.is_decided())
}

fn event(message: &[u8]) -> Event {
    if message.is_empty() { validated(sm3(b"header")) } else { Event::Message(message.to_vec()) }
}

fn validated(block: Sm3Digest) -> Event {
    let (height, round, valid, origin) = (1, 0, true, Origin::Consensus);
    Event::Validated { height, round, proposer: address(&KEYS[1]), block, valid, origin }
}

fn vote(key: &SigningKey, kind: VoteKind, block: Sm3Digest) -> Vec<u8> {
    let (channel_id, validator) = (CHANNEL.to_owned(), address(key));
    let vote = Vote { channel_id, kind, height: 1, round: 0, block: Some(block), validator };
    let mut bytes = vec![1, 1, kind as u8];
    bytes.extend(1_u64.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.push(1);
    bytes.extend(block.as_bytes());
    bytes.extend(validator.as_bytes());
    bytes.extend(key.sign(&vote.sign_bytes()).to_bytes());
    bytes
}

fn proposal(key: &SigningKey, block: Sm3Digest) -> Vec<u8> {
    let (channel_id, proposer, height, round) = (CHANNEL.to_owned(), address(key), 1, 0);
    let statement =
        ProposalStatement { channel_id, height, round, pol_round: None, block, proposer };
    let mut bytes = vec![1, 2];
    bytes.extend(height.to_be_bytes());
    bytes.extend(round.to_be_bytes());
    bytes.extend([0; 5]);
    bytes.extend(block.as_bytes());
    bytes.extend(proposer.as_bytes());
    bytes.extend(key.sign(&statement.sign_bytes()).to_bytes());
    bytes
}

fn certificate(height: u64, block: Sm3Digest, signers: usize) -> CommitCertificate {
    let mut certificate = CommitCertificate { height, round: 0, block, signatures: Vec::new() };
    for key in &KEYS[..signers] {
        let vote = certificate.vote_of(CHANNEL, address(key));
        certificate.signatures.push((address(key), key.sign(&vote.sign_bytes())));
    }
    certificate
}

fn address(key: &SigningKey) -> ValidatorAddress {
    ValidatorAddress::for_key(key.verifying_key().public_key())
}

fn keys(node: &Member) -> Outcome {
    seed("certificate", "der", node.certificate.der())?;
    seed("certificate", "pem", node.certificate.to_pem().as_bytes())?;
    let key = PrivateKey::from_bytes(&[1; 32])?;
    seed("private_key", "der", &key.to_pkcs8_der()?)?;
    seed("private_key", "pem", key.to_pkcs8_pem()?.as_bytes())?;
    seed("der_signature", "one", &KEYS[0].sign(b"message").to_der())
}

fn requests(operator: Member) -> Outcome {
    let body = concat!(
        r#"{"business_type":"general","fields":{"标题":"合同"},"collection":{"method":"scan","source":"a"},"#,
        r#""originals":[{"sm3":"66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0","#,
        r#""size_bytes":3,"media_type":"application/pdf"}]}"#
    );
    seed("request_body", "json", body.as_bytes())?;
    seed("request_body", "metadata", br#"{"fields":{"title":"a"}}"#)?;
    seed("request_body", "boundary", b"multipart/form-data; boundary=X")?;
    let multipart = concat!(
        "--X\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n",
        "{}\r\n--X\r\nContent-Disposition: form-data; name=\"original\"; filename=\"a;\\\"b.pdf\"\r\n",
        "Content-Type: application/pdf\r\n\r\n%PDF\r\n--\r\n--X--\r\n"
    );
    seed("request_body", "multipart", multipart.as_bytes())?;
    batch()?;

    let signer = RequestSigner::new(operator.key, &operator.certificate, &[])?;
    let content_type = "application/json";
    let request = RequestToSign {
        method: "POST",
        path: "/api/v1/evidence",
        query: Some("a=1"),
        body: Some(BodyToSign { sm3: sm3(body.as_bytes()), content_type }),
        idempotency_key: Some("key-1"),
    };
    let mut text = "/api/v1/evidence?a=1".to_owned();
    for (name, value) in signer.sign(&request, 1_790_000_000_000, 60, &[7; 16])? {
        text.push_str(&format!("\n{name}: {value}"));
    }
    text.push_str("\ncontent-type: application/json\nidempotency-key: key-1\ncontent-length: 2");
    seed("request_signature", "signed", text.as_bytes())
}

/// The captured handshake of `smkit/tls/testdata`: each side's bytes for the other, behind the step in which they come.
fn tls() -> Outcome {
    let file = "../smkit/tls/testdata/rfc8998_handshake_wire.json";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?;
    let mut flights = text.split("\"hex\": \"").skip(1).map(|rest| {
        let digits = rest.split('"').next().unwrap_or_default();
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2).unwrap_or("00"), 16);
        (0..digits.len()).step_by(2).map(byte).collect::<Result<Vec<u8>, _>>()
    });
    let hello = flights.next().ok_or("no ClientHello")??;
    let answer = flights.next().ok_or("no ServerHello")??;
    seed("tls_server", "client-hello", &[[255].as_slice(), &hello].concat())?;
    seed("tls_client", "server-hello", &[[255].as_slice(), &answer].concat())?;
    seed("tls_first_bytes", "tls", &[22, 3, 1])?;
    seed("tls_first_bytes", "tlcp", &[22, 1, 1])?;
    // A flipped bit of the server's flight, a cut of the client's last.
    seed("tls_tampered", "untouched", &[])?;
    seed("tls_tampered", "flip-and-cut", &[1, 0, 0, 90, 2, 1, 0, 60])
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}
