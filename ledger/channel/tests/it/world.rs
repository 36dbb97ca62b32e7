//! A small agency: an authority, a peer that validates, a client, and a contract of counters.

use std::{path::Path, sync::Arc};

use changbai_channel::{
    Block, Channel, Endorsed, Invocation, OpenError, Orderer, Outcome, Parts, PeerId, Recovery,
    SigningIdentity, Tuning,
};
use changbai_contract::{Context, Contract, ContractError, Registry};
use changbai_msp::{
    ChannelConfig, ConfigUpdate, Organisation, Sender, ValidatorConfig, serialize_identity,
};
use changbai_storage::{Files, MemoryIndex, StdFiles};
use changbai_wire::ValidatorAddress;
use changbai_wire::time::{ManualClock, UnixMillis};
use smkit::{
    OsRandom, Random as _,
    sm2::{PrivateKey, SignerId, SigningKey},
};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};
use tokio::sync::oneshot::Receiver;

pub(crate) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
pub(crate) const MSP: &str = "Agency";

/// `Add key n` adds to a counter, `Put key value` writes blindly, `Count prefix` counts keys and
/// writes the result, `Refuse` refuses.
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
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let function = ctx.function().to_owned();
        match (function.as_str(), args.as_slice()) {
            ("Add", [key, by]) => {
                let old = ctx.get(key)?.map_or(0, |v| number(&v));
                let new = old + by.parse::<u64>().unwrap();
                ctx.put(key, new.to_string().into_bytes())?;
                Ok(new.to_string().into_bytes())
            }
            ("Put", [key, value]) => ctx.put(key, value.as_bytes().to_vec()).map(|()| Vec::new()),
            ("Delete", [key]) => ctx.delete(key).map(|()| Vec::new()),
            ("Get", [key]) => Ok(ctx.get(key)?.unwrap_or_default()),
            ("Count", [start, end]) => {
                let found = ctx.range(start, end, 100)?.len().to_string().into_bytes();
                ctx.put("count", found.clone())?;
                Ok(found)
            }
            _ => Err(ContractError::Refused {
                code: "T-1".to_owned(),
                message: "no".to_owned(),
                payload: vec![7],
            }),
        }
    }
}

/// Copies what the counters keep: a contract that reads another one's state.
pub(crate) struct Mirror;

impl Contract for Mirror {
    fn name(&self) -> &'static str {
        "mirror"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let key = String::from_utf8(ctx.args()[0].clone()).unwrap();
        let value = ctx.get_of("counters", &key)?.unwrap_or_default();
        ctx.put(&key, value.clone())?;
        Ok(value)
    }
}

fn number(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) peer: SigningIdentity,
    pub(crate) client: SigningIdentity,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) genesis: Block,
    pub(crate) admin: SigningIdentity,
    pub(crate) validators: Vec<Validator>,
}

/// A validator that also endorses.
pub(crate) struct Validator {
    pub(crate) peer: SigningIdentity,
    pub(crate) certificate: Certificate,
    pub(crate) key: SigningKey,
}

impl Validator {
    pub(crate) fn new(authority: &Authority) -> Self {
        let (peer, certificate, key) = member(authority, &["peer", "orderer"]);
        Self { peer, certificate, key }
    }

    pub(crate) fn id(&self) -> PeerId {
        ValidatorAddress::for_key(self.key.verifying_key().public_key()).into()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(1)
    }

    /// A channel of `count` validators.
    pub(crate) fn of(count: usize) -> Self {
        let subject = Subject { common_name: "root".to_owned(), ..Subject::default() };
        let authority = Authority::create_root(&subject, validity(), &mut OsRandom).unwrap();
        let validators: Vec<_> = (0..count).map(|_| Validator::new(&authority)).collect();
        let (client, ..) = member(&authority, &["client"]);
        let (admin, ..) = member(&authority, &["admin"]);
        let roots = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
        let organisation = Organisation::new(MSP, "agency", roots);
        let config = configuration(&organisation, &validators.iter().collect::<Vec<_>>());
        let genesis = Block::genesis(&config, config.to_genesis_envelope(), NOW.0);
        let clock = Arc::new(ManualClock::new(NOW));
        let peer = validators[0].peer.clone();
        Self { authority, peer, client, clock, genesis, admin, validators }
    }

    pub(crate) fn open(&self, dir: &Path) -> Result<Running, OpenError> {
        self.open_with(dir, Arc::new(StdFiles))
    }

    pub(crate) fn open_with(
        &self,
        dir: &Path,
        files: Arc<dyn Files>,
    ) -> Result<Running, OpenError> {
        let validator = &self.validators[0];
        let key = Some(validator.key.clone());
        self.open_as(dir, files, None, self.peer.clone(), key, 0, false)
    }

    pub(crate) fn open_as(
        &self,
        dir: &Path,
        files: Arc<dyn Files>,
        index: Option<MemoryIndex>,
        endorser: SigningIdentity,
        validator: Option<SigningKey>,
        now_ms: u64,
        repair: bool,
    ) -> Result<Running, OpenError> {
        let parts = Parts {
            unsigned: true,
            files,
            index,
            repair,
            genesis: self.genesis.clone(),
            contracts: contracts(),
            endorser,
            validator,
            clock: self.clock.clone(),
            tuning: Tuning::default(),
            now_ms,
        };
        let (channel, orderer, recovery) = Channel::open(dir, parts)?;
        Ok(Running { channel, orderer, recovery })
    }
}

pub(crate) fn contracts() -> Registry {
    let mut contracts = Registry::new();
    contracts.register(Arc::new(Counters)).unwrap();
    contracts.register(Arc::new(Mirror)).unwrap();
    contracts
}

pub(crate) fn configuration(
    organisation: &Organisation,
    validators: &[&Validator],
) -> ChannelConfig {
    let validators = seats(validators);
    ChannelConfig::new("city", vec![organisation.clone()], validators).unwrap()
}

/// These validators in this order.
pub(crate) fn seats(validators: &[&Validator]) -> Vec<ValidatorConfig> {
    (0..)
        .zip(validators)
        .map(|(index, validator)| ValidatorConfig::new(MSP, validator.certificate.clone(), index))
        .collect()
}

/// What somebody sends to change one configuration into another, agreed to by `by`.
pub(crate) fn update(
    current: &ChannelConfig,
    next: &ChannelConfig,
    by: &SigningIdentity,
) -> Vec<u8> {
    agreed(&ConfigUpdate::compute(current, next).unwrap(), by)
}

pub(crate) fn agreed(update: &ConfigUpdate, by: &SigningIdentity) -> Vec<u8> {
    let mut nonce = [0; 24];
    OsRandom.fill(&mut nonce).unwrap();
    let sender = Sender { identity: &by.serialized, key: &by.key };
    let consent = update.sign(sender, &nonce);
    update.to_envelope(&[consent], sender, &nonce, NOW)
}

/// An identity with these units below the authority.
pub(crate) fn member(
    authority: &Authority,
    units: &[&str],
) -> (SigningIdentity, Certificate, SigningKey) {
    member_of(MSP, authority, units)
}

/// The same in an organisation of that id.
pub(crate) fn member_of(
    msp_id: &str,
    authority: &Authority,
    units: &[&str],
) -> (SigningIdentity, Certificate, SigningKey) {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let subject = Subject {
        common_name: "somebody".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..Subject::default()
    };
    let public = key.public_key().clone();
    let certificate = authority
        .issue(&subject, &public, Profile::Signing, validity(), None, &mut OsRandom)
        .unwrap();
    let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
    let serialized = serialize_identity(msp_id, &certificate);
    (SigningIdentity { serialized, key: key.clone() }, certificate, key)
}

pub(crate) fn validity() -> Validity {
    let now = NOW.seconds();
    Validity { not_before: now - 1_000, not_after: now + 1_000_000 }
}

pub(crate) struct Running {
    pub(crate) channel: Channel,
    pub(crate) orderer: Orderer,
    pub(crate) recovery: Recovery,
}

impl Running {
    pub(crate) fn endorse(&self, world: &World, words: &[&str]) -> Endorsed {
        self.channel.endorse(&world.client, &call(words)).unwrap()
    }

    pub(crate) fn send(&self, envelope: &[u8]) -> Receiver<Outcome> {
        self.channel.broadcast(envelope.to_vec()).unwrap()
    }

    pub(crate) fn turn(&mut self) {
        self.orderer.turn(0).unwrap();
    }

    /// Endorses, orders and gives the outcome.
    pub(crate) fn submit(&mut self, world: &World, words: &[&str]) -> Outcome {
        let endorsed = self.endorse(world, words);
        let mut outcome = self.send(&endorsed.envelope);
        self.turn();
        outcome.try_recv().unwrap()
    }

    pub(crate) fn get(&self, world: &World, key: &str) -> String {
        let answer = self.channel.evaluate(&world.client.serialized, &call(&["Get", key])).unwrap();
        String::from_utf8(answer).unwrap()
    }

    pub(crate) fn close(self) {
        self.channel.stop();
        self.channel.close(self.orderer).unwrap();
    }
}

pub(crate) fn call(words: &[&str]) -> Invocation {
    let mut nonce = [0; 24];
    OsRandom.fill(&mut nonce).unwrap();
    Invocation {
        contract: "counters".to_owned(),
        args: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        nonce,
        time_ms: NOW.0,
    }
}
