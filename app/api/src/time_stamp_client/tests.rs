use std::sync::Arc;

use rustls::pki_types::UnixTime;
use smkit_pki::{TrustAnchors, Validator};
use smkit_tls::peer::PathVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

#[test]
fn addresses() {
    for (text, host, port, path) in [
        ("http://tsa.example/tsa", "tsa.example", 80, "/tsa"),
        ("http://10.0.0.7:8080/a/b?c=d", "10.0.0.7", 8080, "/a/b?c=d"),
        ("gmtls://[::1]:8443/tsa", "::1", 8443, "/tsa"),
        ("tlcp://tsa.example", "tsa.example", 443, "/"),
    ] {
        let url: TsaUrl = text.parse().unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), (host, port, path));
        assert_eq!(
            (url.to_string(), url.is_protected()),
            (text.to_owned(), !text.starts_with("http:"))
        );
    }
    for bad in [
        "",
        "own",
        "tsa.example/tsa",
        "ftp://tsa.example",
        "http://",
        "http://a:b@tsa/",
        "http://tsa:99999/",
        "http://tsa:/",
        "http:///tsa",
    ] {
        assert_eq!(bad.parse::<TsaUrl>(), Err(TsaUrlError::Form), "{bad}");
    }
    assert_eq!("https://tsa.example/".parse::<TsaUrl>(), Err(TsaUrlError::Https));
}

#[derive(Debug)]
struct Never;

impl TimeProvider for Never {
    fn current_time(&self) -> Option<UnixTime> {
        None
    }
}

/// What the client makes of an HTTP answer.
async fn answered(head: &str, body: &[u8]) -> Result<Vec<u8>, QueryError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tsa", listener.local_addr().unwrap()).parse().unwrap();
    let validator = Validator::admitting_all(TrustAnchors::from_certificates(Vec::new()));
    let verifier = Arc::new(PathVerifier::of(validator));
    let client = TimeStampClient::new(url, verifier, Arc::new(Never)).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"question") {
            let mut more = [0; 1_024];
            let count = stream.read(&mut more).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&more[..count]);
        }
        let request = String::from_utf8(request).unwrap().to_ascii_lowercase();
        assert!(request.starts_with("post /tsa http/1.1"), "{request}");
        assert!(request.contains("content-type: application/timestamp-query"), "{request}");
        // Whoever refuses reads no further.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(body).await;
    };
    let (answer, ()) = tokio::join!(client.query(b"question"), serve);
    answer
}

#[tokio::test]
async fn an_answer_is_taken_whole_or_refused() {
    let reply = "content-type: application/timestamp-reply\r\n";
    let head = format!("HTTP/1.1 200 OK\r\n{reply}content-length: 6\r\n\r\n");
    assert_eq!(answered(&head, b"answer").await.unwrap(), b"answer");
    let short = answered(&head, b"ans").await.unwrap_err();
    assert!(short.again, "{short}");

    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n";
    assert!(!answered(html, b"hi").await.unwrap_err().again);
    for (status, again) in [("404 Not Found", false), ("429 Slow", true), ("503 Later", true)] {
        let head = format!("HTTP/1.1 {status}\r\n{reply}content-length: 0\r\n\r\n");
        let refused = answered(&head, b"").await.unwrap_err();
        assert_eq!(refused.again, again, "{refused}");
    }
    let large = vec![0x30; TIME_STAMP_BYTES_MAX + 1];
    let head = format!("HTTP/1.1 200 OK\r\n{reply}content-length: {}\r\n\r\n", large.len());
    assert!(answered(&head, &large).await.is_err());
    assert!(answered("no HTTP\r\n\r\n", b"").await.is_err());
}
