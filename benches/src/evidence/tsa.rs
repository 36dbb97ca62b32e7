//! Time stamps: what one core grants, serial numbers durably kept, and what checking an answer costs who asked.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use changbai_time::{SerialStore, TimeStamper};
use changbai_wire::time::{Clock, TimeReading, UnixMillis};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, sm3};
use smkit_pki::{
    Authority, Profile, Subject, TimeStampAuthority, TimeStampRequest, TimeStampResponse,
    TrustAnchors, Validator, Validity,
};

use super::{Goal, Lines};
use crate::sampling::{median_rate, pin};

const NOW_S: i64 = 1_800_000_000;
/// Operations of one sample.
const BATCH: usize = 64;

pub(super) fn run(quick: bool, out: &mut Lines) {
    pin();
    let seconds = if quick { 0.5 } else { 3.0 };
    let dir = std::env::temp_dir().join(format!("changbai-bench-tsa-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a temporary directory");
    let world = World::new(dir.join("tsa.serial"));
    let query = TimeStampRequest::new(&sm3(b"a deed"), &[7; 16], None).expect("a request");
    let rate = median_rate(seconds, BATCH, || {
        (0..BATCH).for_each(|_| {
            black_box(world.stamper.answer(query.der()));
        });
    });
    let why = "one core; query in, response out; serials kept on disk in blocks of 1,024";
    out.goal("tsa::grant", rate, "1/s", Goal::AtLeast(5_000.0), why);

    let answer = world.stamper.answer(query.der());
    let rate = median_rate(seconds, BATCH, || {
        (0..BATCH).for_each(|_| {
            let response = TimeStampResponse::from_der(&answer).expect("our own");
            let verified = response.token().verify_for(&query, &world.validator, &[]);
            black_box(verified.expect("a good chain"));
        });
    });
    let why = "one core; status, imprint, nonce, signature, certificate up to the root";
    out.goal("tsa::verify", rate, "1/s", Goal::AtLeast(5_000.0), why);
    // What is left behind is a number in a temporary directory.
    drop(std::fs::remove_dir_all(&dir));
}

struct World {
    stamper: TimeStamper,
    validator: Validator,
}

impl World {
    fn new(file: PathBuf) -> Self {
        let subject = |name: &str| Subject { common_name: name.to_owned(), ..Subject::default() };
        let validity = Validity { not_before: NOW_S - 1_000, not_after: NOW_S + 1_000 };
        let root = Authority::create_root(&subject("root"), validity, &mut OsRandom);
        let root = root.expect("a root");
        let key = PrivateKey::generate(&mut OsRandom).expect("a key");
        let profile = Profile::TimeStampAuthority;
        let certificate = root
            .issue(&subject("tsa"), key.public_key(), profile, validity, None, &mut OsRandom)
            .expect("a certificate");
        let key = SigningKey::new(key, SignerId::DEFAULT).expect("default ID");
        let authority = TimeStampAuthority::new(certificate, key, "1.2.3.4", Vec::new());
        let (clock, store) = (Arc::new(Stopped), Box::new(Kept(file)));
        let stamper = TimeStamper::new(authority.expect("a TSA"), clock, true, 0, store);
        let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
        Self { stamper, validator: Validator::admitting_all(anchors) }
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> TimeReading {
        let at = Duration::from_secs(NOW_S.unsigned_abs()).as_millis();
        TimeReading {
            at: UnixMillis(u64::try_from(at).expect("this century")),
            bound_us: Some(900),
        }
    }
}

/// Written beside, synced, renamed: as the node does it.
struct Kept(PathBuf);

impl SerialStore for Kept {
    fn keep(&mut self, end: u64) -> io::Result<()> {
        let beside = self.0.with_extension("part");
        let mut file = File::create(&beside)?;
        writeln!(file, "{end}")?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.0)
    }
}
