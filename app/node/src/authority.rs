//! A certificate authority as a program of its own: enrolment, revocation list and OCSP.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_api::authority::AuthorityService;
use changbai_api::limits::Limits as ApiLimits;
use changbai_authority::AuthorityStore;
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit::sm2::PrivateKey;
use smkit_pki::{AlternativeNames, Profile, Subject, Terms, TrustAnchors, Validator, Validity};
use smkit_tls::link::{Acceptor, ClientAuth, Credentials, Limits};
use smkit_tls::peer::PathVerifier;

use crate::config::Endpoint;
use crate::error::StartError;
use crate::listeners::bind;
use crate::tls_files::TlsIdentity;
use crate::transport::NodeTime;

/// How an authority serves.
#[derive(Debug)]
pub struct AuthorityConfig {
    /// Where; enrolment needs a `gmtls://` listener.
    pub listen: Vec<Endpoint>,
    /// Names that the server's own certificate is for.
    pub hosts: Vec<String>,
    /// Life of what is renewed, and of the server's own certificate, in hours.
    pub hours: u32,
}

/// Serves until `stop` resolves. `ready` is told the addresses once the listeners are open.
///
/// The server certifies itself by the authority that it serves, anew at two thirds of the certificate's life.
///
/// # Errors
/// [`StartError`]; nothing keeps running then.
pub async fn serve_authority(
    store: AuthorityStore,
    config: AuthorityConfig,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(&[Endpoint]),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let wiring = |e: &dyn std::fmt::Display| StartError::Wiring(e.to_string());
    let hosts = AlternativeNames::parse(config.hosts.iter().map(String::as_str))
        .ok_or_else(|| wiring(&"neither DNS names nor addresses"))?;
    let anchors = TrustAnchors::from_certificates(vec![store.certificate().clone()]);
    let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
    let store = Arc::new(Mutex::new(store));
    let own = || {
        let now_s = clock.now().at.seconds();
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        certify_self(&mut store, &hosts, config.hours, now_s).map(|identity| Credentials {
            signing: Some(identity.signing),
            encryption: identity.encryption,
            verifier: Arc::clone(&verifier) as _,
            clients: ClientAuth::Optional,
            alpn: vec![b"http/1.1".to_vec()],
            tlcp_quirks: Vec::new(),
        })
    };
    let time = Arc::new(NodeTime(Arc::clone(&clock)));
    let acceptor = Acceptor::new(&own()?, Limits::default(), time).map_err(|e| wiring(&e))?;
    let acceptor = Arc::new(acceptor);
    let (listeners, bound) = bind(&config.listen, Some(&acceptor)).await?;
    ready(&bound);
    let lifetime_s = i64::from(config.hours).saturating_mul(3_600);
    let service = AuthorityService::new(Arc::clone(&store), Arc::clone(&clock), lifetime_s);
    let router = service.standalone();
    let serving = changbai_api::serve(
        listeners,
        router,
        ApiLimits::default(),
        stop,
        crate::start::STOP_GRACE,
    );
    let renewing = async {
        let pause = Duration::from_secs(u64::from(config.hours) * 2_400);
        loop {
            tokio::time::sleep(pause).await;
            let renewed = own().and_then(|next| acceptor.reload(&next).map_err(|e| wiring(&e)));
            if let Err(error) = renewed {
                tracing::error!(%error, "node::authority_certificate_not_renewed");
            }
        }
    };
    tokio::select! {
        () = serving => Ok(()),
        () = renewing => Ok(()),
    }
}

fn certify_self(
    store: &mut AuthorityStore,
    hosts: &AlternativeNames,
    hours: u32,
    now_s: i64,
) -> Result<TlsIdentity, StartError> {
    let wiring = |e: &dyn std::fmt::Display| StartError::Wiring(e.to_string());
    let key = PrivateKey::generate(&mut OsRandom).map_err(|e| wiring(&e))?;
    let organisation = store.certificate().organisation().into_iter().next().unwrap_or_default();
    let subject = Subject {
        organisation,
        common_name: "certificate authority service".to_owned(),
        ..Subject::default()
    };
    let name = (&subject).try_into().map_err(|e: smkit_pki::SubjectError| wiring(&e))?;
    let validity = Validity {
        not_before: now_s.saturating_sub(300),
        not_after: now_s.saturating_add(i64::from(hours).saturating_mul(3_600)),
    };
    let terms = Terms {
        hosts: hosts.clone(),
        ..Terms::new(name, key.public_key(), Profile::Server, validity)
    };
    let issued = store.issue(&terms, true, now_s, &mut OsRandom).map_err(|e| wiring(&e))?;
    let above = [std::slice::from_ref(store.certificate()), store.chain()].concat();
    Ok(TlsIdentity::new(issued, key, &above))
}
