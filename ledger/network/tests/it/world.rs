//! Four agencies on loopback: each with authorities of its own, a validator, and a channel of counters.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use changbai_channel::{
    Block, Channel, Halted, Invocation, OrderEvent, Orderer, Outcome, Parts, PeerId,
    SigningIdentity, Tuning,
};
use changbai_contract::{Context, Contract, ContractError, Registry};
use changbai_msp::{
    ChannelConfig, ConfigUpdate, GroupPolicy, MetaPolicy, MetaRule, Organisation, PolicyName,
    Sender, ValidatorConfig, serialize_identity,
};
use changbai_network::{
    Answering, Call, CallHandler, CallRefusal, ChannelDriver, Hub, HubParts, JoinParts, Limits,
    LinkEvent, Observer, Reason,
};
use changbai_storage::faulty::FaultyFiles;
use changbai_storage::{Files, MemoryIndex, StdFiles};
use changbai_wire::ValidatorAddress;
use changbai_wire::time::{ManualClock, UnixMillis};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, Random as _};
use smkit_pki::{
    AlternativeNames, Authority, Certificate, Profile, Subject, Terms, TrustAnchors, Validity,
};
use smkit_tls::link::KeyPair;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub(crate) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
/// Far more than anything takes on a busy machine: what is awaited is awaited, not timed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// `Put key value` and `Get key`.
struct Counters;

impl Contract for Counters {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let args: Vec<String> =
            ctx.args().iter().map(|a| String::from_utf8(a.clone()).unwrap()).collect();
        match (ctx.function().to_owned().as_str(), args.as_slice()) {
            ("Put", [key, value]) => ctx.put(key, value.as_bytes().to_vec()).map(|()| Vec::new()),
            ("Get", [key]) => Ok(ctx.get(key)?.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }
}

/// An organisation with its authorities, and one node.
pub(crate) struct Agency {
    pub(crate) msp_id: String,
    pub(crate) authority: Authority,
    pub(crate) tls_authority: Authority,
    pub(crate) node: Member,
    pub(crate) admin: Member,
    pub(crate) tls: KeyPair,
}

/// A channel of these agencies' nodes; one endorsement is enough.
pub(crate) fn configuration(
    channel: &str,
    agencies: &[Agency],
    addresses: &[SocketAddr],
) -> ChannelConfig {
    let validators = agencies.iter().zip(addresses).zip(0..).map(|((agency, address), index)| {
        let certificate = agency.node.certificate.clone();
        let mut validator = ValidatorConfig::new(&agency.msp_id, certificate, index);
        validator.consensus = Some(address.to_string().parse().unwrap());
        validator
    });
    let orgs = agencies.iter().map(Agency::organisation).collect();
    let mut config = ChannelConfig::new(channel, orgs, validators.collect()).unwrap();
    config.policies.endorsement =
        GroupPolicy::Meta(MetaPolicy { rule: MetaRule::Any, sub_policy: PolicyName::Endorsement });
    config.check().unwrap();
    config
}

pub(crate) fn genesis(config: &ChannelConfig) -> Block {
    Block::genesis(config, config.to_genesis_envelope(), NOW.0)
}

/// An identity with its key.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) signing: SigningIdentity,
    pub(crate) certificate: Certificate,
    pub(crate) key: SigningKey,
    pub(crate) private: PrivateKey,
}

impl Member {
    pub(crate) fn id(&self) -> PeerId {
        ValidatorAddress::for_key(self.certificate.public_key()).into()
    }
}

impl Agency {
    pub(crate) fn new(msp_id: &str) -> Self {
        let root = |what: &str| {
            let common_name = format!("{msp_id} {what}");
            let subject = Subject { common_name, ..Subject::default() };
            Authority::create_root(&subject, validity(), &mut OsRandom).unwrap()
        };
        let (authority, tls_authority) = (root("root"), root("tls root"));
        let node = member(msp_id, &authority, &["peer", "orderer"], validity());
        let admin = member(msp_id, &authority, &["admin"], validity());
        let tls = connection(&tls_authority, validity());
        Self { msp_id: msp_id.to_owned(), authority, tls_authority, node, admin, tls }
    }

    pub(crate) fn organisation(&self) -> Organisation {
        let anchors =
            |of: &Authority| TrustAnchors::from_certificates(vec![of.certificate().clone()]);
        let mut org = Organisation::new(&self.msp_id, &self.msp_id, anchors(&self.authority));
        org.tls_roots = anchors(&self.tls_authority);
        org
    }
}

pub(crate) fn validity() -> Validity {
    let now = NOW.seconds();
    Validity { not_before: now - 1_000, not_after: now + 1_000_000 }
}

pub(crate) fn member(
    msp_id: &str,
    authority: &Authority,
    units: &[&str],
    validity: Validity,
) -> Member {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject {
        common_name: "node".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..Subject::default()
    };
    let public = key.public_key().clone();
    let certificate = authority
        .issue(&subject, &public, Profile::Signing, validity, None, &mut OsRandom)
        .unwrap();
    let private = key.clone();
    let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
    let serialized = serialize_identity(msp_id, &certificate);
    Member { signing: SigningIdentity { serialized, key: key.clone() }, certificate, key, private }
}

/// A certificate for connections.
pub(crate) fn connection(authority: &Authority, validity: Validity) -> KeyPair {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject { common_name: "connection".to_owned(), ..Subject::default() };
    let name = (&subject).try_into().unwrap();
    let hosts = AlternativeNames::parse(["127.0.0.1"]).unwrap();
    let terms = Terms::new(name, key.public_key(), Profile::Node, validity);
    let certificate = authority.issue_on(&Terms { hosts, ..terms }, &mut OsRandom).unwrap();
    KeyPair { chain: vec![certificate], key }
}

pub(crate) struct World {
    pub(crate) agencies: Vec<Agency>,
    pub(crate) client: Member,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: ChannelConfig,
    pub(crate) genesis: Block,
    pub(crate) limits: Limits,
    pub(crate) addresses: Vec<SocketAddr>,
    /// Bound from the beginning, so that the addresses can stand in the configuration.
    listeners: Mutex<BTreeMap<usize, TcpListener>>,
    dirs: Vec<tempfile::TempDir>,
    /// Nodes started from now on answer no calls.
    pub(crate) unserved: AtomicBool,
}

impl World {
    pub(crate) async fn new(count: usize) -> Self {
        let agencies = (0..count).map(|at| Agency::new(&format!("Agency{at}MSP"))).collect();
        Self::of("city", agencies).await
    }

    pub(crate) async fn of(channel: &str, agencies: Vec<Agency>) -> Self {
        let mut listeners = BTreeMap::new();
        let mut addresses = Vec::new();
        for at in 0..agencies.len() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            listeners.insert(at, listener);
        }
        let config = configuration(channel, &agencies, &addresses);
        let genesis = genesis(&config);
        let first = &agencies[0];
        let client = member(&first.msp_id, &first.authority, &["client"], validity());
        let dirs = agencies.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        Self {
            client,
            clock: Arc::new(ManualClock::new(NOW)),
            config,
            genesis,
            limits: Limits::default(),
            addresses,
            listeners: Mutex::new(listeners),
            unserved: AtomicBool::new(false),
            dirs,
            agencies,
        }
    }

    pub(crate) fn address(&self, at: usize) -> SocketAddr {
        self.addresses[at]
    }

    /// The transaction of an update to which every agency agrees.
    pub(crate) fn agreed(&self, update: &ConfigUpdate) -> Vec<u8> {
        let nonce = || {
            let mut nonce = [0; 24];
            OsRandom.fill(&mut nonce).unwrap();
            nonce
        };
        let sender = |member: &Member| {
            let SigningIdentity { serialized, key } = member.signing.clone();
            (serialized, key)
        };
        let signatures: Vec<_> = self
            .agencies
            .iter()
            .map(|agency| {
                let (identity, key) = sender(&agency.admin);
                update.sign(Sender { identity: &identity, key: &key }, &nonce())
            })
            .collect();
        let (identity, key) = sender(&self.client);
        let sender = Sender { identity: &identity, key: &key };
        update.to_envelope(&signatures, sender, &nonce(), NOW)
    }

    pub(crate) fn dir(&self, at: usize) -> PathBuf {
        self.dirs[at].path().to_owned()
    }

    pub(crate) fn id(&self, at: usize) -> PeerId {
        self.agencies[at].node.id()
    }

    pub(crate) async fn start(&self, at: usize) -> Node {
        let agency = &self.agencies[at];
        self.start_as(at, &agency.node, agency.tls.clone(), self.genesis.clone()).await
    }

    pub(crate) async fn start_as(
        &self,
        at: usize,
        member: &Member,
        tls: KeyPair,
        genesis: Block,
    ) -> Node {
        let opened = self.open(member, genesis, &self.dir(at));
        self.run(at, member, tls, opened).await
    }

    /// Starts a node on a disk in memory, which may fail.
    pub(crate) async fn start_on(&self, at: usize, disk: &FaultyFiles) -> Node {
        let agency = &self.agencies[at];
        let (files, index) = (Arc::new(disk.clone()), Some(MemoryIndex::new()));
        let genesis = self.genesis.clone();
        let opened = self.open_on(&agency.node, genesis, Path::new("/node"), files, index);
        self.run(at, &agency.node, agency.tls.clone(), opened).await
    }

    async fn run(
        &self,
        at: usize,
        member: &Member,
        tls: KeyPair,
        (channel, orderer): (Channel, Orderer),
    ) -> Node {
        let bound = self.listeners.lock().unwrap().remove(&at);
        let listener = match bound {
            Some(listener) => listener,
            None => TcpListener::bind(self.addresses[at]).await.unwrap(),
        };
        let seen = Arc::new(Seen::default());
        let hub = Hub::new(HubParts {
            identity: member.signing.clone(),
            tls,
            clock: self.clock.clone(),
            random: Box::new(OsRandom),
            limits: self.limits,
            observer: Arc::clone(&seen) as Arc<dyn Observer>,
        })
        .unwrap();
        let handler = Arc::new(Echo::default());
        let serves = !self.unserved.load(Ordering::SeqCst);
        let join = JoinParts {
            observer: Arc::clone(&seen) as Arc<dyn Observer>,
            handler: serves.then(|| Arc::clone(&handler) as Arc<dyn CallHandler>),
            now_ms: 0,
        };
        let driver = hub.join(channel.clone(), orderer, join).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        let serving = hub.clone();
        tasks.spawn(async move {
            serving.serve(listener, async move { drop(stopped.await) }).await;
        });
        Node { hub, channel, driver, seen, handler, stop, tasks }
    }

    /// A channel in that directory, not driven yet.
    pub(crate) fn open(&self, member: &Member, genesis: Block, dir: &Path) -> (Channel, Orderer) {
        self.open_on(member, genesis, dir, Arc::new(StdFiles), None)
    }

    fn open_on(
        &self,
        member: &Member,
        genesis: Block,
        dir: &Path,
        files: Arc<dyn Files>,
        index: Option<MemoryIndex>,
    ) -> (Channel, Orderer) {
        let mut contracts = Registry::new();
        contracts.register(Arc::new(Counters)).unwrap();
        let parts = Parts {
            unsigned: true,
            files,
            index,
            repair: false,
            genesis,
            contracts,
            endorser: member.signing.clone(),
            validator: Some(member.key.clone()),
            clock: self.clock.clone(),
            tuning: Tuning::default(),
            now_ms: 0,
        };
        let (channel, orderer, _) = Channel::open(dir, parts).unwrap();
        (channel, orderer)
    }

    /// The port of a node that is not started, for whoever plays it.
    pub(crate) fn listener(&self, at: usize) -> TcpListener {
        self.listeners.lock().unwrap().remove(&at).unwrap()
    }

    pub(crate) async fn start_all(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for at in 0..self.agencies.len() {
            nodes.push(self.start(at).await);
        }
        nodes
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) hub: Hub,
    pub(crate) channel: Channel,
    pub(crate) driver: ChannelDriver,
    pub(crate) seen: Arc<Seen>,
    pub(crate) handler: Arc<Echo>,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Node {
    pub(crate) fn connected(&self) -> usize {
        self.driver.peers().iter().filter(|peer| peer.connected).count()
    }

    /// Endorses and hands in.
    pub(crate) fn submit(&self, world: &World, key: &str) -> oneshot::Receiver<Outcome> {
        self.submit_value(world, key, "x")
    }

    pub(crate) fn submit_value(
        &self,
        world: &World,
        key: &str,
        value: &str,
    ) -> oneshot::Receiver<Outcome> {
        let endorsed = self.channel.endorse(&world.client.signing, &put(key, value)).unwrap();
        self.channel.broadcast(endorsed.envelope).unwrap()
    }

    /// Ends in order.
    pub(crate) async fn stop(self) {
        let Self { hub, channel, driver, stop, mut tasks, .. } = self;
        drop(stop);
        channel.stop();
        let orderer = timeout(PATIENCE, driver.join()).await.unwrap().unwrap();
        while tasks.join_next().await.is_some() {}
        drop(hub);
        channel.close(orderer).unwrap();
    }
}

impl Node {
    /// Waits for the end of a channel that halts by itself.
    pub(crate) async fn halt(self) -> Halted {
        let Self { driver, stop, mut tasks, .. } = self;
        let halted = timeout(PATIENCE, driver.join()).await.unwrap().unwrap_err();
        drop(stop);
        while tasks.join_next().await.is_some() {}
        halted
    }
}

/// What an observer heard.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) links: Mutex<Vec<LinkEvent>>,
    pub(crate) orders: Mutex<Vec<OrderEvent>>,
    pub(crate) halted: Mutex<Vec<Halted>>,
}

impl Observer for Seen {
    fn order(&self, _channel: &str, event: &OrderEvent) {
        self.orders.lock().unwrap().push(event.clone());
    }

    fn halted(&self, _channel: &str, halted: &Halted) {
        self.halted.lock().unwrap().push(halted.clone());
    }

    fn link(&self, event: &LinkEvent) {
        self.links.lock().unwrap().push(event.clone());
    }
}

impl Seen {
    /// Reasons of refused openings, with whether the other side said so.
    pub(crate) fn refusals(&self) -> Vec<(Reason, bool)> {
        let links = self.links.lock().unwrap();
        let reason = |event: &LinkEvent| match event {
            LinkEvent::Refused { refusal, .. } => Some((refusal.reason, refusal.by_peer)),
            _ => None,
        };
        links.iter().filter_map(reason).collect()
    }

    /// Reasons of ended links, with whether the other side said so.
    pub(crate) fn ends(&self) -> Vec<(Reason, bool)> {
        let links = self.links.lock().unwrap();
        let reason = |event: &LinkEvent| match event {
            LinkEvent::Down { refusal, .. } => Some((refusal.reason, refusal.by_peer)),
            _ => None,
        };
        links.iter().filter_map(reason).collect()
    }
}

/// Method 1 echoes, 2 refuses, 3 never answers.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) callers: Mutex<Vec<String>>,
}

impl CallHandler for Echo {
    fn call(&self, caller: Arc<changbai_msp::Identity>, call: Call) -> Answering {
        self.callers.lock().unwrap().push(caller.msp_id.clone());
        Box::pin(async move {
            match call.method {
                1 => Ok(call.request),
                2 => Err(CallRefusal { code: "T-1".to_owned(), text: "不可以".to_owned() }),
                4 => Ok(Bytes::from(vec![0; changbai_network::limits::CALL_BYTES_MAX + 1])),
                _ => std::future::pending().await,
            }
        })
    }
}

pub(crate) fn put(key: &str, value: &str) -> Invocation {
    let mut nonce = [0; 24];
    OsRandom.fill(&mut nonce).unwrap();
    let words = ["Put", key, value];
    Invocation {
        contract: "counters".to_owned(),
        args: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        nonce,
        time_ms: NOW.0,
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
