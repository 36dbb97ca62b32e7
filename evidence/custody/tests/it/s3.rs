//! Custody over a real S3 server, and over servers that misbehave.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use changbai_custody::{
    Credentials, Custody, CustodyError, Location, Options, Patience, Store, StoreError,
    limits::PART_BYTES,
};
use smkit::{OsRandom, Sm3Digest, sm3};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::peer::S3Server;
use crate::support::{content, files};

struct Remote {
    dir: TempDir,
    store: Arc<dyn Store>,
    custody: Custody,
}

fn store(address: SocketAddr, patience: Patience) -> Arc<dyn Store> {
    let location: Location = format!("s3+http://{address}/box/originals").parse().unwrap();
    let secret = Zeroizing::new("secret".to_owned());
    let credentials = Credentials { id: "agency".to_owned(), secret };
    location.open(Some(&credentials), None, patience).unwrap().unwrap()
}

impl Remote {
    fn new(address: SocketAddr, patience: Patience) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store(address, patience);
        let custody = open(&dir, &store);
        Self { dir, store, custody }
    }

    fn keep(&self, original: &[u8]) -> Result<Sm3Digest, CustodyError> {
        let mut ingest = self.custody.ingest(u64::MAX)?;
        ingest.write(original)?;
        Ok(ingest.finish()?.sm3)
    }

    fn read(&self, sm3: &Sm3Digest) -> Result<Vec<u8>, CustodyError> {
        let mut bytes = Vec::new();
        let mut reader = self.custody.open_original(sm3)?;
        match reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(error.downcast::<CustodyError>().unwrap()),
        }
    }
}

fn open(dir: &TempDir, store: &Arc<dyn Store>) -> Custody {
    let options = Options { store: Some(Arc::clone(store)), ..Options::default() };
    Custody::open_with(dir.path(), options, &mut OsRandom).unwrap()
}

/// A request past every check of ours: what somebody with the bucket's keys does (the server checks none).
fn raw(address: SocketAddr, request: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{AUTHORIZATION}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer[..end]));
    answer.split_off(end)
}

/// The server looks who asks, and believes it.
const AUTHORIZATION: &str = "authorization: AWS4-HMAC-SHA256 Credential=somebody/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";

fn key(place: &str) -> String {
    place.replacen("s3://", "/", 1)
}

#[test]
fn originals_of_every_size_come_back_from_a_real_server() {
    let Some(server) = S3Server::start() else { return };
    let remote = Remote::new(server.address, Patience::default());
    for length in [0, 1, 100_000, PART_BYTES, 2 * PART_BYTES + PART_BYTES / 2] {
        let original = content(length);
        let sm3 = remote.keep(&original).unwrap();
        assert!(remote.read(&sm3).unwrap() == original, "{length}");
        let place = remote.custody.place(&sm3).unwrap().unwrap();
        let stored = raw(server.address, &format!("GET {}", key(&place)), b"");
        // The name is the digest of what lies there; anybody can check that.
        let name = place.rsplit('/').next().unwrap();
        assert_eq!(changbai_custody::Cid::new(smkit::sm3(&stored)).to_string(), name);
    }
    // Sealed bytes are in the bucket and nowhere else.
    assert!(files(&remote.dir.path().join("objects")).is_empty());
    assert!(files(&remote.dir.path().join("incoming")).is_empty());
}

#[test]
fn nothing_is_ever_replaced() {
    let Some(server) = S3Server::start() else { return };
    for length in [50, PART_BYTES + 50] {
        let remote = Remote::new(server.address, Patience::default());
        let sm3 = remote.keep(&content(length)).unwrap();
        let place = remote.custody.place(&sm3).unwrap().unwrap();
        let before = raw(server.address, &format!("GET {}", key(&place)), b"");
        let name = place.rsplit('/').next().unwrap().parse().unwrap();
        // A draft of another length under the same name, as a mistaken or malicious writer would have it.
        let file = remote.dir.path().join("draft");
        std::fs::write(&file, content(length + 1)).unwrap();
        let draft = changbai_custody::SealedFile::open(&file).unwrap();
        let error = remote.store.put(&name, &draft.draft()).unwrap_err();
        assert!(matches!(error, StoreError::Occupied), "{error}");
        let after = raw(server.address, &format!("GET {}", key(&place)), b"");
        assert!(before == after);
    }
}

#[test]
fn a_changed_cut_or_missing_object_is_named() {
    let Some(server) = S3Server::start() else { return };
    let remote = Remote::new(server.address, Patience::default());
    let original = content(3 << 20);
    let sm3 = remote.keep(&original).unwrap();
    let place = remote.custody.place(&sm3).unwrap().unwrap();
    let intact = raw(server.address, &format!("GET {}", key(&place)), b"");
    for at in [0, 40, 70, 1 << 20, 2_500_000, intact.len() - 1] {
        let mut changed = intact.clone();
        changed[at] ^= 1;
        raw(server.address, &format!("PUT {}", key(&place)), &changed);
        let error = remote.read(&sm3).expect_err("damage is noticed");
        let CustodyError::Damaged { file, offset, .. } = &error else { panic!("{error}") };
        assert_eq!(file.to_str().unwrap(), place);
        assert!(*offset as usize <= at && at - *offset as usize <= (1 << 20) + 16, "{at} {offset}");
    }
    raw(server.address, &format!("PUT {}", key(&place)), &intact[..intact.len() - 1]);
    assert!(matches!(remote.read(&sm3), Err(CustodyError::Damaged { .. })));
    raw(server.address, &format!("DELETE {}", key(&place)), b"");
    assert!(matches!(remote.read(&sm3), Err(CustodyError::Missing { .. })));
    // It comes again, and everything is well.
    assert_eq!(remote.keep(&original).unwrap(), sm3);
    assert!(remote.read(&sm3).unwrap() == original);
}

#[test]
fn what_a_crash_leaves_between_store_and_entry_is_found() {
    let Some(server) = S3Server::start() else { return };
    let remote = Remote::new(server.address, Patience::default());
    let sm3 = remote.keep(b"an original").unwrap();
    // The entry is still pending, as if the process had ended right after the server's answer.
    let entries = remote.dir.path().join("entries");
    let [entry] = files(&entries).try_into().unwrap();
    std::fs::rename(&entry, remote.dir.path().join("incoming/left.entry")).unwrap();
    assert!(!remote.custody.has(&sm3));
    let again = open(&remote.dir, &remote.store);
    assert!(again.has(&sm3) && files(&remote.dir.path().join("incoming")).is_empty());
    let mut bytes = Vec::new();
    again.open_original(&sm3).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"an original");
    // Before the server has it: nothing was taken in, and nothing is left.
    let place = again.place(&sm3).unwrap().unwrap();
    std::fs::rename(&entry, remote.dir.path().join("incoming/left.entry")).unwrap();
    raw(server.address, &format!("DELETE {}", key(&place)), b"");
    let again = open(&remote.dir, &remote.store);
    assert!(!again.has(&sm3) && files(&remote.dir.path().join("incoming")).is_empty());
}

/// Answers every connection with the same bytes, or with silence.
fn misbehaving(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4_096];
            drop(stream.read(&mut request));
            drop(stream.write_all(answer));
            if answer.is_empty() {
                open.push(stream);
            }
        }
    });
    address
}

#[test]
fn a_server_that_stalls_refuses_or_is_gone_is_an_error_in_bounded_time() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let busy =
        misbehaving(b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let patience =
        Patience { connect: Duration::from_secs(2), idle: Duration::from_millis(200), retries: 1 };
    for address in [misbehaving(b""), busy, closed, misbehaving(b"220 smtp\r\n")] {
        let remote = Remote::new(address, patience);
        let error = remote.keep(b"an original").unwrap_err();
        let CustodyError::Store { source, .. } = &error else { panic!("{error}") };
        assert!(matches!(source, StoreError::Unreachable(_)), "{source}");
        assert!(error.is_transient());
        assert!(!remote.custody.has(&sm3(b"an original")));
        assert!(!format!("{error:?} {:?}", remote.store).contains("secret"));
    }
}

#[test]
fn a_name_that_stands_for_a_public_address_is_not_dialled() {
    // Judged before the first packet: a literal address when the URL is read, a name when it is looked up.
    assert!("s3+http://8.8.8.8:9000/box".parse::<Location>().is_err());
    assert!("ipfs+http://8.8.8.8:5001".parse::<Location>().is_err());
}
