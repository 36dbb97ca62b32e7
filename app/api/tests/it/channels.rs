//! Channels over REST: who sees which, and who may change them.

use std::sync::{Arc, Mutex};

use changbai_api::ChannelView;
use changbai_api::channels::{
    ChannelDirectory, ChannelNode, ChannelRole, ChannelState, JoinError, UpdateAnswer, UpdateError,
};
use changbai_core::ledger::BoxFuture;
use changbai_msp::{Membership, Organisation};
use changbai_receipt::Trust;
use smkit_pki::{Authority, TrustAnchors};

use crate::world::{Answer, MSP, Member, Members, PEOPLE, World};

/// Channels of a node: `both` has the two agencies, `alone` only the other one beside ours, `theirs` not us at all.
pub(crate) struct Channels {
    channels: Vec<Arc<One>>,
    pub(crate) joined: Mutex<Vec<Vec<u8>>>,
}

struct One {
    id: &'static str,
    members: Members,
    updates: Mutex<Vec<Vec<u8>>>,
}

impl Channels {
    pub(crate) fn new() -> Self {
        let organisation = |msp_id: &str, root: &Authority| {
            let roots = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
            Organisation::new(msp_id, msp_id, roots)
        };
        let ours = || organisation(MSP, &PEOPLE.root);
        let theirs = || organisation("AnotherMSP", &PEOPLE.other_root);
        let one = |id, organisations| {
            let members = Members(Arc::new(Membership::new(organisations)));
            Arc::new(One { id, members, updates: Mutex::default() })
        };
        let channels = vec![one("both", vec![ours(), theirs()]), one("ours", vec![ours()])];
        Self { channels, joined: Mutex::default() }
    }
}

impl ChannelDirectory for Channels {
    fn channels(&self) -> Vec<Arc<dyn ChannelNode>> {
        self.channels.iter().map(|one| Arc::clone(one) as _).collect()
    }

    fn channel(&self, id: &str) -> Option<Arc<dyn ChannelNode>> {
        self.channels.iter().find(|one| one.id == id).map(|one| Arc::clone(one) as _)
    }

    fn join(&self, genesis: &[u8]) -> Result<String, JoinError> {
        self.joined.lock().unwrap().push(genesis.to_vec());
        match genesis {
            b"ours" => Ok("ours".to_owned()),
            b"known" => Err(JoinError::Known("both".to_owned())),
            b"foreign" => Err(JoinError::Foreign("not ours".to_owned())),
            b"failed" => Err(JoinError::Failed("/srv/secret".to_owned())),
            _ => Err(JoinError::Malformed("no block".to_owned())),
        }
    }
}

impl ChannelView for One {
    fn membership(&self) -> Arc<Membership> {
        self.members.membership()
    }

    fn trust(&self) -> Arc<Trust> {
        self.members.trust()
    }
}

impl ChannelNode for One {
    fn state(&self) -> ChannelState {
        ChannelState {
            channel: self.id.to_owned(),
            genesis: "00".to_owned(),
            height: 7,
            tip: "01".to_owned(),
            transactions: 9,
            config_sequence: 2,
            organisations: vec![MSP.to_owned()],
            validators: Vec::new(),
            role: ChannelRole::Follower,
            peers_connected: 3,
            peers_height: 7,
            quorum: true,
            waiting: 0,
            halted: None,
            suspended: None,
            misbehaviour: Vec::new(),
        }
    }

    fn config(&self) -> Vec<u8> {
        self.id.as_bytes().to_vec()
    }

    fn update(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<UpdateAnswer, UpdateError>> {
        let answer = match envelope.as_slice() {
            b"good" => Ok(UpdateAnswer { block_number: 7, config_sequence: 3 }),
            b"stopped" => Err(UpdateError::Unavailable("stopping".to_owned())),
            b"lost" => Err(UpdateError::Unknown("halted".to_owned())),
            _ => Err(UpdateError::Refused("MS-2201: too few".to_owned())),
        };
        self.updates.lock().unwrap().push(envelope);
        Box::pin(async move { answer })
    }
}

const CHANNELS: &str = "/api/v1/channels";
const OCTETS: &str = "application/octet-stream";

async fn get(world: &World, who: &Member, target: &str) -> Answer {
    world.send(world.signed(&who.signer(), "GET", target, None, None)).await
}

async fn post(world: &World, who: &Member, target: &str, body: &[u8]) -> Answer {
    let body = Some((OCTETS, body.to_vec()));
    world.send(world.signed(&who.signer(), "POST", target, body, None)).await
}

fn ids(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let items = json["items"].as_array().unwrap().iter();
    items.map(|item| item["channel"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn everybody_sees_the_channels_they_are_members_of_and_no_others() {
    let world = World::new();
    assert_eq!(ids(&get(&world, &PEOPLE.client, CHANNELS).await), ["both", "ours"]);
    assert_eq!(ids(&get(&world, &PEOPLE.other_agency, CHANNELS).await), ["both"]);
    let answer = get(&world, &PEOPLE.other_agency, "/api/v1/channels/both").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["height"]), (200, &7.into()));
    let config = get(&world, &PEOPLE.client, "/api/v1/channels/ours/config").await;
    assert_eq!((config.status.as_u16(), config.body.as_ref()), (200, b"ours".as_slice()));

    // A channel one is no member of is told as one that does not exist.
    for path in ["/api/v1/channels/ours", "/api/v1/channels/nowhere"] {
        for path in [path.to_owned(), format!("{path}/config")] {
            let answer = get(&world, &PEOPLE.other_agency, &path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "CH-4040"),
                "{path}"
            );
            assert!(answer.json()["detail"].is_null(), "{path}");
        }
    }
    for path in [CHANNELS, "/api/v1/channels/both", "/api/v1/channels/both/config"] {
        assert_eq!(world.get(path).await.code(), "AU-4010", "{path}");
        assert_eq!(get(&world, &PEOPLE.stranger, path).await.code(), "AU-4017", "{path}");
        assert_eq!(get(&world, &PEOPLE.expired, path).await.code(), "AU-4015", "{path}");
    }
}

#[tokio::test]
async fn a_request_for_channels_is_good_once() {
    let world = World::new();
    let sign = || world.signed(&PEOPLE.client.signer(), "GET", CHANNELS, None, None);
    let (first, second) = (sign(), sign());
    let copy = |request: &axum::http::Request<axum::body::Body>| {
        let mut copy = axum::http::Request::get(request.uri().clone());
        *copy.headers_mut().unwrap() = request.headers().clone();
        copy.body(axum::body::Body::empty()).unwrap()
    };
    let again = copy(&first);
    assert_eq!(world.send(first).await.status, 200);
    assert_eq!(world.send(again).await.code(), "AU-4013");
    assert_eq!(world.send(second).await.status, 200);
}

#[tokio::test]
async fn only_our_administrators_join_and_change_channels() {
    let world = World::new();
    let updates = "/api/v1/channels/both/updates";
    for target in [CHANNELS, updates] {
        for who in [&PEOPLE.client, &PEOPLE.peer, &PEOPLE.other_agency] {
            assert_eq!(post(&world, who, target, b"ours").await.code(), "AU-4030", "{target}");
        }
        assert_eq!(post(&world, &PEOPLE.stranger, target, b"ours").await.code(), "AU-4017");
        let json = Some(("application/json", b"ours".to_vec()));
        let request = world.signed(&PEOPLE.admin.signer(), "POST", target, json, None);
        assert_eq!(world.send(request).await.code(), "RQ-4150");
    }
    let digest = smkit::sm3(b"something else");
    let request = world.signed_digest(&PEOPLE.admin.signer(), "POST", updates, OCTETS, digest);
    assert_eq!(world.send(request).await.code(), "AU-4018");
    let nowhere = "/api/v1/channels/nowhere/updates";
    assert_eq!(post(&world, &PEOPLE.admin, nowhere, b"good").await.code(), "CH-4040");
    assert!(world.channels.joined.lock().unwrap().is_empty());
    assert!(world.channels.channels[0].updates.lock().unwrap().is_empty());

    let answer = post(&world, &PEOPLE.admin, CHANNELS, b"ours").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["channel"]), (201, &"ours".into()));
    assert_eq!(answer.headers["location"], "/api/v1/channels/ours");
    for (body, code) in
        [("x", "RQ-4000"), ("known", "CH-4090"), ("foreign", "CH-4220"), ("failed", "SV-5000")]
    {
        let answer = post(&world, &PEOPLE.admin, CHANNELS, body.as_bytes()).await;
        assert_eq!(answer.code(), code);
        assert!(!answer.json().to_string().contains("/srv"), "our files are nobody's business");
    }

    let answer = post(&world, &PEOPLE.admin, updates, b"good").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["config_sequence"]), (201, &3.into()));
    for (body, code) in [("x", "CH-4221"), ("stopped", "EV-4502"), ("lost", "SV-5040")] {
        assert_eq!(post(&world, &PEOPLE.admin, updates, body.as_bytes()).await.code(), code);
    }
}
