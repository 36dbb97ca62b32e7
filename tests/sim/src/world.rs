//! Who takes part: an authority, validators, followers, a client, and a contract of counters.

use std::sync::Arc;

use changbai_channel::{Block, Invocation, PeerId, SigningIdentity};
use changbai_contract::{Context, Contract, ContractError};
use changbai_msp::{ChannelConfig, Organisation, ValidatorConfig, serialize_identity};
use changbai_wire::ValidatorAddress;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{Authority, Certificate, Profile, Subject, TrustAnchors, Validity};

use crate::rng::Rng;

/// Where the clocks of a network start, Unix milliseconds.
pub(crate) const EPOCH_MS: u64 = 1_795_000_000_000;
/// The channel.
pub(crate) const CHANNEL: &str = "city";
const MSP: &str = "Agency";

/// A node's keys.
#[derive(Clone)]
pub(crate) struct Keys {
    /// Its name on links.
    pub(crate) id: PeerId,
    /// It endorses with this.
    pub(crate) endorser: SigningIdentity,
    /// It votes with this at the heights whose configuration names it.
    pub(crate) key: SigningKey,
    /// The certificate of that key.
    pub(crate) certificate: Certificate,
}

/// Everything that is the same for all networks of one size.
pub(crate) struct World {
    /// Validators first, then followers.
    pub(crate) members: Vec<Keys>,
    /// What each of them may get instead of its keys.
    pub(crate) renewed: Vec<Keys>,
    /// The first configuration.
    pub(crate) config: ChannelConfig,
    /// Submits everything but changes of the configuration.
    pub(crate) client: SigningIdentity,
    /// Agrees to changes of the configuration and sends them.
    pub(crate) admin: SigningIdentity,
    /// Block 0.
    pub(crate) genesis: Block,
}

impl World {
    /// Keys and certificates follow from the sizes alone.
    ///
    /// # Errors
    ///
    /// A text; none of it depends on a seed.
    pub(crate) fn new(validators: usize, followers: usize) -> Result<Self, String> {
        let mut rng = Rng::new(0x5349_4d00 + validators as u64 * 64 + followers as u64);
        let subject = Subject { common_name: "root".to_owned(), ..Subject::default() };
        let authority = Authority::create_root(&subject, validity(), &mut rng).map_err(text)?;
        let mut keys = || issue(&authority, &["peer", "orderer"], &mut rng);
        let count = validators + followers;
        let members = (0..count).map(|_| keys()).collect::<Result<Vec<_>, _>>()?;
        let renewed = (0..count).map(|_| keys()).collect::<Result<Vec<_>, _>>()?;
        let seats: Vec<_> = members.iter().take(validators).collect();
        let configs = seats_of(&seats)?;
        let client = issue(&authority, &["client"], &mut rng)?.endorser;
        let admin = issue(&authority, &["admin"], &mut rng)?.endorser;
        let roots = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
        let organisation = Organisation::new(MSP, "agency", roots);
        let mut config = ChannelConfig::new(CHANNEL, vec![organisation], configs).map_err(text)?;
        config.batch.max_message_count = 5;
        let genesis = Block::genesis(&config, config.to_genesis_envelope(), EPOCH_MS);
        Ok(Self { members, renewed, config, client, admin, genesis })
    }
}

/// These nodes as validators, in this order.
pub(crate) fn seats_of(keys: &[&Keys]) -> Result<Vec<ValidatorConfig>, String> {
    let seat = |(index, keys): (usize, &&Keys)| {
        let index = u32::try_from(index).map_err(text)?;
        Ok(ValidatorConfig::new(MSP, keys.certificate.clone(), index))
    };
    keys.iter().enumerate().map(seat).collect()
}

fn issue(authority: &Authority, units: &[&str], rng: &mut Rng) -> Result<Keys, String> {
    let key = PrivateKey::generate(rng).map_err(text)?;
    let subject = Subject {
        common_name: "somebody".to_owned(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..Subject::default()
    };
    let public = key.public_key().clone();
    let certificate = authority
        .issue(&subject, &public, Profile::Signing, validity(), None, rng)
        .map_err(text)?;
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(text)?;
    let serialized = serialize_identity(MSP, &certificate);
    let id = ValidatorAddress::for_key(key.verifying_key().public_key()).into();
    let endorser = SigningIdentity { serialized, key: key.clone() };
    Ok(Keys { id, endorser, key, certificate })
}

fn validity() -> Validity {
    let now = i64::try_from(EPOCH_MS / 1_000).unwrap_or(0);
    Validity { not_before: now - 1_000_000, not_after: now + 1_000_000 }
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A call of the contract.
pub(crate) fn call(words: &[&str], time_ms: u64, rng: &mut Rng) -> Invocation {
    let mut nonce = [0; 24];
    for byte in &mut nonce {
        *byte = u8::try_from(rng.below(256)).unwrap_or(0);
    }
    Invocation {
        contract: "counters".to_owned(),
        args: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        nonce,
        time_ms,
    }
}

/// `Put key value` writes blindly, `Add key` reads and writes.
#[derive(Debug)]
pub(crate) struct Counters;

impl Contract for Counters {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn invoke(&self, ctx: &mut dyn Context) -> Result<Vec<u8>, ContractError> {
        let args: Vec<String> =
            ctx.args().iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
        match (ctx.function().to_owned().as_str(), args.as_slice()) {
            ("Put", [key, value]) => {
                ctx.put(key, value.as_bytes().to_vec())?;
                Ok(Vec::new())
            }
            ("Add", [key]) => {
                let old = ctx.get(key)?.and_then(|v| String::from_utf8(v).ok()?.parse().ok());
                let new = old.unwrap_or(0_u64) + 1;
                ctx.put(key, new.to_string().into_bytes())?;
                Ok(new.to_string().into_bytes())
            }
            _ => Err(ContractError::Refused {
                code: "SIM-1".to_owned(),
                message: "no such function".to_owned(),
                payload: Vec::new(),
            }),
        }
    }
}

/// A registry holds it once a node.
pub(crate) fn contract() -> Arc<Counters> {
    Arc::new(Counters)
}
