//! What a judge's machine does: a receipt, and a bundle with everything in it, each verified anew.

use std::time::{Duration, Instant};

use changbai_receipt::{Bundle, Trust, read_bundle, verify};

use super::{Goal, Lines};
use crate::rest::Server;

/// Records one evidence at a node of its own, and verifies its receipt and its bundle over and over on one thread.
pub(super) fn run(quick: bool, out: &mut Lines) {
    let time = Duration::from_secs(if quick { 2 } else { 10 });
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&dir.path().join("node"));
    let evidence = server.one_evidence();
    let trust = Trust::parse(&evidence.trust).expect("the node's trust file");
    let bytes = evidence.bundle.as_slice();
    let bundle = read_bundle(&mut &*bytes).expect("the node's bundle");
    let alone = Bundle::from_parts(bundle.record.clone(), bundle.receipt.clone(), None);

    let receipt = mean_ms(time, || drop(verify(&alone, &[], Some(&trust))));
    let conditions = format!(
        "one thread, nothing kept from one to the next: parsing, {} bytes of receipt, all signatures and chains",
        alone.receipt.len()
    );
    out.goal("receipt/verify-ms", receipt, "ms", Goal::AtMost(0.3), &conditions);

    let mut plain = bundle;
    (plain.certificate_pdf, plain.certificate_ofd) = (None, None);
    let container = mean_ms(time, || drop(read_bundle(&mut &*bytes)));
    let judged = mean_ms(time, || drop(verify(&plain, &[], Some(&trust))));
    let conditions = format!(
        "container of {} bytes read, receipt, checkpoint, page; without the certificate documents",
        bytes.len()
    );
    out.goal("bundle/verify-ms", container + judged, "ms", Goal::AtMost(1.0), &conditions);
    server.stop();
}

fn mean_ms(time: Duration, mut work: impl FnMut()) -> f64 {
    work();
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < time {
        work();
        count += 1;
    }
    started.elapsed().as_secs_f64() * 1_000.0 / f64::from(count.max(1))
}
