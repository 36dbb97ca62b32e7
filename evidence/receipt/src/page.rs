//! The page `verify.html` (核验页面): a verifier of its own in plain script, for a reader with a browser and nothing else.
//!
//! One file, written for this format from `FORMAT.md` alone; it loads nothing and sends nothing. A bundle may hold it, but
//! a page that lies is the easiest forgery of all: a bundle with any other page is refused.

use smkit::sm3;

use crate::reasons::reasons;

/// The page, as it goes into bundles.
pub const PAGE: &str = concat!(
    include_str!("../page/head.html"),
    include_str!("../page/style.css"),
    include_str!("../page/body.html"),
    "\n\"use strict\";\n",
    include_str!("../page/bytes.js"),
    include_str!("../page/sm3.js"),
    include_str!("../page/der.js"),
    include_str!("../page/sm2.js"),
    include_str!("../page/zip.js"),
    include_str!("../page/json.js"),
    include_str!("../page/protobuf.js"),
    include_str!("../page/x509.js"),
    include_str!("../page/record.js"),
    include_str!("../page/receipt.js"),
    include_str!("../page/trust.js"),
    include_str!("../page/reasons.js"),
    include_str!("../page/verify.js"),
    include_str!("../page/ui.js"),
    include_str!("../page/foot.html"),
);

/// SM3 of pages that earlier releases put into bundles, lower-case hex: those bundles stay right.
const EARLIER: [&str; 0] = [];

/// Whether these bytes are a page that we wrote.
pub(crate) fn is_ours(bytes: &[u8]) -> bool {
    bytes == PAGE.as_bytes() || EARLIER.contains(&sm3(bytes).to_string().as_str())
}

/// `page/reasons.js`: the sentences of the elements that the page judges, from the table of this crate.
pub fn page_reasons() -> String {
    let mut out = String::from(
        "// The sentences of the offline verifier, by code. Written by the example `page_reasons`; do not edit.\n\nconst REASONS = {\n",
    );
    let judged = |code: &str| {
        let element = code.get(3..5).and_then(|number| number.parse::<u32>().ok());
        let absent = code.ends_with("80");
        element.is_some_and(|element| element < 20 || element == 24 || (element < 28 && absent))
    };
    for reason in reasons().iter().filter(|reason| judged(reason.code)) {
        let status = format!("{:?}", reason.status).to_lowercase();
        out.push_str(&format!(
            "  \"{}\": [\"{status}\", \"{}\",\n    \"{}\"],\n",
            reason.code, reason.zh, reason.en
        ));
    }
    out.push_str("};\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_sentences_are_this_crates() {
        let written = include_str!("../page/reasons.js");
        assert_eq!(
            written,
            page_reasons(),
            "run: cargo run -p changbai-receipt --example page_reasons"
        );
    }

    #[test]
    fn the_page_may_load_and_send_nothing() {
        assert!(PAGE.contains("default-src 'none'"));
        let forbidden = [
            "http://",
            "https://",
            "fetch(",
            "XMLHttpRequest",
            "WebSocket",
            "eval(",
            "innerHTML",
            "src=",
        ];
        for word in forbidden {
            assert!(!PAGE.contains(word), "{word}");
        }
        assert_eq!(PAGE.matches("<script>").count(), 1);
        assert_eq!(PAGE.matches("</script>").count(), 1);
        assert!(is_ours(PAGE.as_bytes()) && !is_ours(b"<html>verified</html>"));
    }
}
