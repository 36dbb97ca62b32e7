//! Records as people read them.

use std::collections::BTreeMap;

use changbai_core::BusinessType;
use serde::Deserialize;

use crate::{
    lang::Lang,
    messages::{Message, text, word},
    output::{Table, clean},
    time::china_time,
};

/// One record with its place on the ledger, as the API answers it.
#[derive(Debug, Deserialize)]
pub(super) struct Evidence {
    evidence_id: String,
    tx_id: String,
    block_number: u64,
    record: Record,
}

#[derive(Debug, Deserialize)]
struct Record {
    agency: Agency,
    business_type: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    originals: Vec<Original>,
    #[serde(default)]
    personal: BTreeMap<String, String>,
    previous: Option<String>,
    submitter: Submitter,
    time: Time,
}

#[derive(Debug, Deserialize)]
struct Agency {
    name: String,
    code: String,
}

#[derive(Debug, Deserialize)]
struct Original {
    sm3: String,
    size_bytes: u64,
    media_type: String,
}

#[derive(Debug, Deserialize)]
struct Submitter {
    subject: String,
}

#[derive(Debug, Deserialize)]
struct Time {
    at_ms: u64,
}

/// One page of a listing.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    items: Vec<Line>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Line {
    evidence_id: String,
    business_type: String,
    at_ms: u64,
    originals: Vec<Original>,
}

/// A record, one fact a line.
pub(super) fn record(evidence: &Evidence, lang: Lang) -> String {
    let record = &evidence.record;
    let mut table = Table::default();
    let mut row = |label: &str, value: &str| table.row([clean(label), clean(value)]);
    let agency = format!("{} {}", record.agency.name, record.agency.code);
    for (label, value) in [
        (Message::EvidenceId, &evidence.evidence_id),
        (Message::BusinessType, &business(&record.business_type, lang)),
        (Message::RecordedAt, &china_time(record.time.at_ms, lang)),
        (Message::Agency, &agency),
        (Message::Submitter, &record.submitter.subject),
        (Message::Transaction, &evidence.tx_id),
        (Message::Block, &evidence.block_number.to_string()),
    ] {
        row(word(lang, label), value);
    }
    if let Some(previous) = &record.previous {
        row(word(lang, Message::Previous), previous);
    }
    for original in &record.originals {
        let size = text(lang, Message::Bytes, &[("count", &original.size_bytes.to_string())]);
        let value = format!("SM3 {}  {size}  {}", original.sm3, original.media_type);
        row(word(lang, Message::Original), &value);
    }
    for (name, value) in &record.fields {
        row(&field(&record.business_type, name, lang), value);
    }
    for (name, commitment) in &record.personal {
        let label = field(&record.business_type, name, lang);
        row(&label, &format!("{commitment}  {}", word(lang, Message::Personal)));
    }
    table.render()
}

/// A page of records as a table.
pub(super) fn page(page: &Page, lang: Lang) -> String {
    if page.items.is_empty() {
        return word(lang, Message::ListEmpty).to_owned();
    }
    let mut table = Table::default();
    let heads = [
        Message::EvidenceId,
        Message::RecordedAt,
        Message::BusinessType,
        Message::Originals,
        Message::Sm3,
    ];
    table.row(heads.map(|head| word(lang, head)));
    for line in &page.items {
        table.row([
            clean(&line.evidence_id),
            china_time(line.at_ms, lang),
            clean(&business(&line.business_type, lang)),
            line.originals.len().to_string(),
            line.originals.first().map(|original| clean(&original.sm3)).unwrap_or_default(),
        ]);
    }
    let mut out = table.render();
    if let Some(cursor) = &page.cursor {
        out.push('\n');
        out.push_str(&text(lang, Message::ListMore, &[("cursor", &clean(cursor))]));
    }
    out
}

/// The name of a business type in `lang`; a code that this version does not know stays a code.
fn business(code: &str, lang: Lang) -> String {
    match (lang, BusinessType::from_code(code)) {
        (Lang::Zh, Some(known)) => known.chinese().to_owned(),
        _ => code.to_owned(),
    }
}

fn field(business: &str, name: &str, lang: Lang) -> String {
    let spec = BusinessType::from_code(business).and_then(|known| known.field(name).copied());
    match (lang, spec) {
        (Lang::Zh, Some(spec)) => spec.chinese.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_table() {
        let json = r#"{"items":[{"evidence_id":"CC1","tx_id":"ab","business_type":"general","at_ms":0,
            "originals":[{"sm3":"00","size_bytes":1,"media_type":"text/plain","custody":"platform"}]}],"cursor":"n"}"#;
        let parsed: Page = serde_json::from_str(json).unwrap();
        assert_eq!(
            page(&parsed, Lang::En),
            "evidence id  recorded at                    business type  originals  SM3\n\
             CC1          1970-01-01 08:00:00.000 UTC+8  general        1          00\n\
             there are more; continue with --cursor n"
        );
        let empty: Page = serde_json::from_str(r#"{"items":[]}"#).unwrap();
        assert_eq!(page(&empty, Lang::Zh), "没有符合条件的记录");
    }

    #[test]
    fn a_record_shows_fields_by_their_chinese_names() {
        let json = r#"{"evidence_id":"CC1","tx_id":"ab","block_number":7,"record_sm3":"00","committed_at_ms":1,
            "record":{"agency":{"code":"1","msp_id":"A","name":"某局"},"business_type":"general",
            "collection":{"method":"upload","source":"cli"},"fields":{"title":"合同\u001b"},"format":1,"id":"CC1",
            "originals":[{"custody":"platform","media_type":"text/plain","size_bytes":3,"sm3":"00"}],
            "submitter":{"certificate_sm3":"00","subject":"CN=op"},"time":{"at_ms":0,"source":"local"}}}"#;
        let parsed: Evidence = serde_json::from_str(json).unwrap();
        let zh = record(&parsed, Lang::Zh);
        assert!(zh.contains("标题      合同"), "{zh}");
        assert!(zh.contains("业务类型  通用存证"), "{zh}");
        assert!(!zh.contains('\u{1b}'));
    }
}
