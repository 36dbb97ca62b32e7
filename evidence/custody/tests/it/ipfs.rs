//! Custody over the HTTP API of an IPFS node.
//!
//! The node is a double of our own, made from Kubo's documented answers (`/api/v0/add`, `files/cp`, `files/stat`,
//! `files/read`, `files/rm`, `files/flush`; errors are status 500 with `Message`): no package brings a node that runs
//! without a network.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use changbai_custody::{
    Custody, CustodyError, Location, Options, Patience, SealedFile, Store, StoreError,
};
use smkit::{OsRandom, sm3};

use crate::support::content;

type Names = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Blocks under `/ipfs/…`, names under `/…`.
fn node() -> (SocketAddr, Names) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let names = Names::default();
    let shared = Arc::clone(&names);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let names = Arc::clone(&shared);
            std::thread::spawn(move || serve(stream, &names));
        }
    });
    (address, names)
}

fn serve(stream: TcpStream, names: &Names) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let target = line.split(' ').nth(1).unwrap().to_owned();
        let (mut length, mut chunked) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            chunked |= header == "transfer-encoding: chunked";
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        while chunked {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let mut piece = vec![0; usize::from_str_radix(size.trim(), 16).unwrap() + 2];
            reader.read_exact(&mut piece).unwrap();
            chunked = piece.len() > 2;
            body.extend(&piece[..piece.len() - 2]);
        }
        assert!(line.starts_with("POST /api/v0/"), "{line}");
        let (status, answer) = match call(&target["/api/v0/".len()..], &body, names) {
            Ok(answer) => ("200 OK", answer),
            Err(message) => {
                let text = format!("{{\"Message\":\"{message}\",\"Code\":0,\"Type\":\"error\"}}\n");
                ("500 Internal Server Error", text.into_bytes())
            }
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", answer.len());
        writer.write_all(&[head.as_bytes(), &answer].concat()).unwrap();
    }
}

fn call(target: &str, body: &[u8], names: &Names) -> Result<Vec<u8>, String> {
    let (name, query) = target.split_once('?').unwrap_or((target, ""));
    let values = |key: &str| -> Vec<String> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(k, _)| *k == key).map(|(_, v)| v.to_owned()).collect()
    };
    let mut names = names.lock().unwrap();
    let missing = || "file does not exist".to_owned();
    let arg = values("arg").first().cloned().unwrap_or_default();
    match name {
        "add" => {
            let at = body.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let end = body.windows(4).rposition(|four| four == b"\r\n--").unwrap();
            let cid = format!("bafy{}", sm3(&body[at..end]));
            names.insert(format!("/ipfs/{cid}"), body[at..end].to_vec());
            let size = end - at;
            Ok(format!("{{\"Name\":\"o\",\"Hash\":\"{cid}\",\"Size\":\"{size}\"}}\n").into_bytes())
        }
        "files/cp" => {
            let to = values("arg")[1].clone();
            if names.contains_key(&to) {
                return Err(
                    "cp: cannot put node in path: directory already has entry by that name".into(),
                );
            }
            let bytes = names.get(&arg).cloned().ok_or_else(missing)?;
            names.insert(to, bytes);
            Ok(Vec::new())
        }
        "files/flush" => names.get(&arg).map(|_| b"{\"Cid\":\"x\"}\n".to_vec()).ok_or_else(missing),
        "files/stat" => {
            let size = names.get(&arg).map(Vec::len).ok_or_else(missing)?;
            Ok(format!("{{\"Hash\":\"x\",\"Size\":{size},\"Type\":\"file\"}}\n").into_bytes())
        }
        "files/read" => {
            let bytes = names.get(&arg).ok_or_else(missing)?;
            let number = |key: &str| values(key)[0].parse::<usize>().unwrap();
            let from = number("offset").min(bytes.len());
            let to = (from + number("count")).min(bytes.len());
            Ok(bytes[from..to].to_vec())
        }
        "files/rm" => names.remove(&arg).map(|_| Vec::new()).ok_or_else(missing),
        other => panic!("{other}"),
    }
}

fn store(address: SocketAddr) -> Arc<dyn Store> {
    let location: Location = format!("ipfs+http://{address}").parse().unwrap();
    location.open(None, None, Patience::default()).unwrap().unwrap()
}

#[test]
fn originals_come_back_from_a_node_and_damage_is_named() {
    let (address, names) = node();
    let dir = tempfile::tempdir().unwrap();
    let options = Options { store: Some(store(address)), ..Options::default() };
    let custody = Custody::open_with(dir.path(), options, &mut OsRandom).unwrap();
    for length in [0, 1, (5 << 20) + 3] {
        let original = content(length);
        let mut ingest = custody.ingest(u64::MAX).unwrap();
        ingest.write(&original).unwrap();
        let sm3 = ingest.finish().unwrap().sm3;
        let read = || {
            let mut bytes = Vec::new();
            custody
                .open_original(&sm3)?
                .read_to_end(&mut bytes)
                .map_err(|error| error.downcast::<CustodyError>().unwrap())?;
            Ok::<_, CustodyError>(bytes)
        };
        assert!(read().unwrap() == original);
        let place = custody.place(&sm3).unwrap().unwrap();
        let path = place.strip_prefix("ipfs:/").unwrap().to_owned();
        assert!(path.starts_with("/changbai/bafk"), "{path}");
        let at = names.lock().unwrap()[&path].len() - 61;
        names.lock().unwrap().get_mut(&path).unwrap()[at] ^= 1;
        let error = read().unwrap_err();
        assert!(
            matches!(&error, CustodyError::Damaged { file, .. } if file.to_str() == Some(&place))
        );
        names.lock().unwrap().remove(&path);
        assert!(matches!(read(), Err(CustodyError::Missing { .. })));
    }
}

#[test]
fn nothing_is_replaced_and_the_same_again_is_well() {
    let (address, names) = node();
    let store = store(address);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("draft");
    let name = changbai_custody::Cid::new(sm3(b"sealed"));
    std::fs::write(&file, b"sealed").unwrap();
    let sealed = SealedFile::open(&file).unwrap();
    store.put(&name, &sealed.draft()).unwrap();
    store.put(&name, &sealed.draft()).unwrap();
    std::fs::write(&file, b"something else").unwrap();
    let error = store.put(&name, &SealedFile::open(&file).unwrap().draft()).unwrap_err();
    assert!(matches!(error, StoreError::Occupied), "{error}");
    let path = store.place(&name).strip_prefix("ipfs:/").unwrap().to_owned();
    assert_eq!(names.lock().unwrap()[&path], b"sealed");
    store.remove(&name).unwrap();
    store.remove(&name).unwrap();
    assert!(store.open(&name).unwrap().is_none());
}
