//! Three organisations A, B and C, each with an authority and a node; A's node orders.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use changbai_channel::{AskError, Block, Channel, Endorsers, PeerId, SigningIdentity};
use changbai_msp::{ChannelConfig, GroupPolicy, Identity, Organisation, ValidatorConfig};
use changbai_wire::proto::protos;
use changbai_wire::time::ManualClock;
use changbai_wire::{
    EndorsedResponse, ProposalResponse, Refused, ValidatorAddress, endorsement_message,
};
use futures::future::BoxFuture;
use prost::Message as _;
use smkit::OsRandom;
use smkit_pki::{Authority, Subject, TrustAnchors};

use crate::net::Net;
use crate::world::{NOW, Validator, World, member_of, validity};

pub(crate) const ORGS: [&str; 3] = ["A", "B", "C"];

pub(crate) struct City {
    pub(crate) world: World,
    /// The endorsing identity of each node.
    pub(crate) peers: Vec<SigningIdentity>,
    ids: Vec<PeerId>,
}

impl City {
    /// With this endorsement policy; the world's client is A's.
    pub(crate) fn new(policy: &str) -> Self {
        let authority = |name: &str| {
            let subject = Subject { common_name: name.to_owned(), ..Subject::default() };
            Authority::create_root(&subject, validity(), &mut OsRandom).unwrap()
        };
        let authorities: Vec<Authority> = ORGS.iter().map(|name| authority(name)).collect();
        let members: Vec<_> = ORGS
            .iter()
            .zip(&authorities)
            .map(|(msp_id, authority)| member_of(msp_id, authority, &["peer", "orderer"]))
            .collect();
        let organisations: Vec<_> = ORGS
            .iter()
            .zip(&authorities)
            .map(|(msp_id, authority)| {
                let roots = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
                Organisation::new(msp_id, msp_id, roots)
            })
            .collect();
        let validator = ValidatorConfig::new("A", members[0].1.clone(), 0);
        let mut config = ChannelConfig::new("city", organisations, vec![validator]).unwrap();
        config.policies.endorsement = GroupPolicy::parse(policy).unwrap();
        let genesis = Block::genesis(&config, config.to_genesis_envelope(), NOW.0);
        let (client, ..) = member_of("A", &authorities[0], &["client"]);
        let (admin, ..) = member_of("A", &authorities[0], &["admin"]);
        let peers: Vec<_> = members.iter().map(|(peer, ..)| peer.clone()).collect();
        let id = |key: &smkit::sm2::SigningKey| {
            ValidatorAddress::for_key(key.verifying_key().public_key()).into()
        };
        let ids = members.iter().map(|(_, _, key)| id(key)).collect();
        let (peer, certificate, key) = members.into_iter().next().unwrap();
        let validators = vec![Validator { peer: peer.clone(), certificate, key }];
        let subject = Subject { common_name: "nobody".to_owned(), ..Subject::default() };
        let world = World {
            authority: Authority::create_root(&subject, validity(), &mut OsRandom).unwrap(),
            peer,
            client,
            clock: Arc::new(ManualClock::new(NOW)),
            genesis,
            admin,
            validators,
        };
        Self { world, peers, ids }
    }

    /// The three nodes, running; B's and C's follow.
    pub(crate) fn start(&self) -> Net<'_> {
        let mut net = Net::new(&self.world, 0);
        for at in 1..ORGS.len() {
            net.add(self.ids[at], self.peers[at].clone(), None);
        }
        net.run(500);
        net
    }

    pub(crate) fn identity(&self, at: usize) -> Arc<Identity> {
        Arc::new(Identity::parse(&self.peers[at].serialized).unwrap())
    }

    /// The links of node `own` to the others, which behave like this.
    pub(crate) fn hub<'a>(&'a self, net: &mut Net<'_>, own: usize, lies: [Lie; 3]) -> Hub<'a> {
        let channels = (0..ORGS.len()).map(|at| net.node(at).channel.clone()).collect();
        let nothing = Box::new(|| ());
        Hub {
            city: self,
            own,
            channels,
            lies,
            asked: Mutex::default(),
            on_pause: nothing,
            pauses: Mutex::default(),
        }
    }
}

/// How a node answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Honest,
    Silent,
    /// Another answer, properly signed.
    OtherResult,
    /// The right answer with the signature of another message.
    BadSignature,
    /// Signed properly, but as the node of C.
    AsSomebodyElse,
    Garbage,
    /// As if the contract had refused.
    Refuses,
    /// As if it could not read its state.
    Unavailable,
}

pub(crate) struct Hub<'a> {
    city: &'a City,
    own: usize,
    channels: Vec<Channel>,
    lies: [Lie; 3],
    pub(crate) asked: Mutex<Vec<usize>>,
    pub(crate) on_pause: Box<dyn Fn() + Send + Sync + 'a>,
    pub(crate) pauses: Mutex<usize>,
}

impl Endorsers for Hub<'_> {
    fn available(&self) -> Vec<(PeerId, Arc<Identity>)> {
        let others = (0..ORGS.len()).filter(|at| *at != self.own);
        others.map(|at| (self.city.ids[at], self.city.identity(at))).collect()
    }

    fn ask(&self, peer: PeerId, proposal: Bytes) -> BoxFuture<'_, Result<Bytes, AskError>> {
        let at = self.city.ids.iter().position(|id| *id == peer).unwrap();
        self.asked.lock().unwrap().push(at);
        let answer = match self.lies[at] {
            Lie::Silent => Err(AskError::TimedOut),
            lie => {
                let honest = self.channels[at].process_proposal(&proposal);
                Ok(self.bend(at, lie, honest).into())
            }
        };
        Box::pin(async move { answer })
    }

    fn pause(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            *self.pauses.lock().unwrap() += 1;
            (self.on_pause)();
        })
    }
}

impl Hub<'_> {
    fn bend(&self, at: usize, lie: Lie, honest: Vec<u8>) -> Vec<u8> {
        let refused = |status, message: &str| {
            let refused = Refused { status, message: message.to_owned(), payload: Vec::new() };
            ProposalResponse::Refused(refused).to_bytes()
        };
        match lie {
            Lie::Honest | Lie::Silent => return honest,
            Lie::Garbage => return b"no response".to_vec(),
            Lie::Refuses => return refused(500, "T-2: no"),
            Lie::Unavailable => return refused(503, "the ledger cannot be read"),
            _ => {}
        }
        let ProposalResponse::Endorsed(mut response) =
            ProposalResponse::from_bytes(&honest).unwrap()
        else {
            return honest;
        };
        match lie {
            Lie::OtherResult => response = another(response),
            Lie::BadSignature => {
                let signature = self.city.peers[at].key.sign(b"something else");
                response.signature = signature.to_der();
                return ProposalResponse::Endorsed(response).to_bytes();
            }
            _ => {}
        }
        let signer = &self.city.peers[if lie == Lie::AsSomebodyElse { 2 } else { at }];
        ProposalResponse::Endorsed(signed(response, signer)).to_bytes()
    }
}

/// The response with another answer in it.
pub(crate) fn another(mut response: EndorsedResponse) -> EndorsedResponse {
    let mut payload = protos::ProposalResponsePayload::decode(&*response.payload).unwrap();
    let mut action = protos::ChaincodeAction::decode(&*payload.extension).unwrap();
    action.response.as_mut().unwrap().payload = b"forged".to_vec();
    response.response = action.response.clone().unwrap();
    payload.extension = action.encode_to_vec();
    response.payload = payload.encode_to_vec();
    response
}

/// The response as `signer` endorses it.
pub(crate) fn signed(mut response: EndorsedResponse, signer: &SigningIdentity) -> EndorsedResponse {
    response.endorser = signer.serialized.clone();
    let message = endorsement_message(&response.payload, &response.endorser);
    response.signature = signer.key.sign(&message).to_der();
    response
}
