//! The table: which fact goes into which row.

use super::{
    flow::{ENGLISH, Flow, GAP, LABEL, VALUE},
    statements::{
        FINDINGS, ISSUER, NOT_COMPARED, NOT_PROVEN, PROCESS, PROVEN, REFERENCES, REPRODUCIBLE,
        Sentence, VERIFICATION,
    },
};
use crate::{
    error::CertificateError, facts::CertificateFacts, issuance::LAYOUT, issuer::Issuer,
    process::ProcessLog, time::ChinaTime,
};
use changbai_core::CustodyMode;

type Done = Result<(), CertificateError>;

/// Everything between the title and the seal.
pub(super) fn fill(flow: &mut Flow<'_>, facts: &CertificateFacts, issuer: &Issuer) -> Done {
    evidence(flow, facts)?;
    originals(flow, facts)?;
    time(flow, facts)?;
    ledger(flow, facts)?;
    let mut number = NUMBERS.iter().skip(4);
    let mut title = |name: &str| {
        let number = number.next().copied().unwrap_or_default();
        format!("{number}、{name}")
    };
    if let Some(log) = issuer.process_log() {
        process(flow, &title("全程留痕"), log)?;
    }
    statement(flow, &title("说明"), facts)?;
    platform(flow, &title("出证平台"), facts.record().id().as_str(), issuer)
}

fn evidence(flow: &mut Flow<'_>, facts: &CertificateFacts) -> Done {
    let parts = facts.parts();
    flow.section("一、存证", "Evidence")?;
    let business = parts.business_type;
    row(flow, ("业务类型", "Business type"), business.chinese(), business.code())?;
    let agency = &parts.agency;
    let codes = format!("统一社会信用代码 {}　账本组织 {}", agency.code, agency.msp_id);
    row_of(flow, ("存证机关", "Agency"), &[&agency.name, &codes])?;
    let fields: Vec<String> = parts
        .fields
        .iter()
        .map(|(key, value)| {
            let chinese = business.field(key).map_or(key.as_str(), |field| field.chinese);
            format!("{chinese}：{value}")
        })
        .collect();
    if !fields.is_empty() {
        row_of(flow, ("登记事项", "Fields"), &refs(&fields))?;
    }
    if !parts.personal.is_empty() {
        let names: Vec<_> = parts
            .personal
            .keys()
            .map(|key| business.field(key).map_or(key.as_str(), |field| field.chinese))
            .collect();
        let text = format!("{}：账本只载明加盐承诺，本证书不载明内容", names.join("、"));
        let english = "recorded as salted commitments; the values are not on this certificate";
        row(flow, ("个人信息", "Personal values"), &text, english)?;
    }
    let submitter = &parts.submitter;
    let certificate = format!("证书 SM3 {}", grouped(&submitter.certificate_sm3.to_string()));
    let identified = "身份鉴别：SM2 数字证书及其签名";
    row_of(flow, ("提交人证书", "Submitter"), &[&submitter.subject, &certificate, identified])?;
    let collection = &parts.collection;
    let how = format!("方式 {}　来源系统 {}", collection.method, collection.source);
    let when = "采集时间未另行登记，不晚于记录时间";
    let english = "means and source as recorded; the time of collection is not recorded apart";
    row_in_both(flow, ("采集", "Collection"), &[&how, when], english)?;
    match &parts.previous {
        Some(previous) => row(flow, ("前一版本", "Previous version"), previous.as_str(), ""),
        None => Ok(()),
    }
}

fn originals(flow: &mut Flow<'_>, facts: &CertificateFacts) -> Done {
    flow.section("二、原件", "Originals (named by digest; file names are not on the ledger)")?;
    if let Some(batch) = facts.record().batch() {
        let root = format!("批次根 SM3 {}", grouped(&batch.root.to_string()));
        let size = format!(
            "批量存证，共 {} 项摘要；本证书所证明的一项及其序号见下文“批次”一栏",
            thousands(batch.size)
        );
        return row_of(flow, ("批次", "Batch: root and number of digests"), &[&root, &size]);
    }
    for (index, original) in facts.record().originals().iter().enumerate() {
        let number = index + 1;
        let custody = match original.custody {
            CustodyMode::Platform => "原件由平台保管",
            CustodyMode::Submitter => "原件由提交人保管",
        };
        let compared = if facts.originals_compared {
            "出证时已比对，一致"
        } else {
            "出证时未比对"
        };
        let digest = format!("SM3 {}", grouped(&original.sm3.to_string()));
        let size = format!(
            "{} 字节　{}　{custody}　{compared}",
            thousands(original.size_bytes),
            original.media_type
        );
        let label = format!("原件 {number}");
        let english = format!("Original {number}: SM3 digest, size, media type");
        row_of(flow, (&label, &english), &[&digest, &size])?;
    }
    Ok(())
}

fn time(flow: &mut Flow<'_>, facts: &CertificateFacts) -> Done {
    flow.section("三、时间", "Time")?;
    let recorded = facts.parts().time;
    let at = ChinaTime::new(recorded.at_ms)?;
    let source = match recorded.bound_us {
        Some(_) => "来源：存证节点的受监测时钟",
        None => "来源：存证节点的本机时钟",
    };
    let (bound, bound_en) = bound(recorded.bound_us);
    let lines = [at.chinese(), format!("{source}　{bound}")];
    let english = format!("{}; {} clock, {bound_en}", at.english(), recorded.source());
    row_in_both(flow, ("记录时间", "Time in the record"), &refs(&lines), &english)?;

    let at = ChinaTime::new(facts.chain.header_time_ms)?;
    let measured = Some(facts.chain.header_bound_us).filter(|bound_us| *bound_us > 0);
    let (bound, bound_en) = self::bound(measured);
    let lines = [
        at.chinese(),
        format!("来源：验证节点的时钟　{bound}"),
        "依该时钟，存证记录不晚于此时间存在".to_owned(),
    ];
    let english = format!("{}; validators' clock, {bound_en}; existed no later", at.english());
    row_in_both(flow, ("上链确认时间", "Time in the header"), &refs(&lines), &english)?;
    let named = |element: &str| facts.findings.iter().find(|found| found.element == element);
    match named("time_token") {
        None => row(flow, ("可信时间戳", "Time-stamp token"), "未附第三方时间戳", "none attached")?,
        Some(found) => row(flow, ("可信时间戳", "Time-stamp token"), &found.zh, &found.en)?,
    }
    for (element, label) in [
        ("witness", ("见证", "Witnesses")),
        ("log_consistency", ("日志一致性", "Log consistency")),
        ("batch", ("批次", "Batch")),
        ("process_log", ("过程日志", "Process log")),
    ] {
        if let Some(found) = named(element) {
            row(flow, label, &found.zh, &found.en)?;
        }
    }
    if facts.findings.is_empty() { Ok(()) } else { sentences(flow, ("注", "Note"), &[FINDINGS]) }
}

fn bound(bound_us: Option<u32>) -> (String, String) {
    match bound_us {
        Some(bound_us) => {
            let (whole, part) = (bound_us / 1_000, bound_us % 1_000);
            let bound = format!("{whole}.{part:03}");
            (format!("误差上限 {bound} 毫秒"), format!("error at most {bound} ms"))
        }
        None => ("误差未经测定".to_owned(), "error not measured".to_owned()),
    }
}

fn ledger(flow: &mut Flow<'_>, facts: &CertificateFacts) -> Done {
    let chain = &facts.chain;
    flow.section("四、账本", "Ledger")?;
    let mut channel = vec![chain.channel.clone()];
    channel.extend(chain.genesis.map(|hash| format!("创世区块 {}", grouped(&hash.to_string()))));
    row_of(flow, ("通道", "Channel and its genesis"), &refs(&channel))?;
    let transaction = [grouped(&chain.tx_id.to_string()), format!("合约 {}", chain.contract)];
    row_of(flow, ("交易编号", "Transaction id, contract"), &refs(&transaction))?;
    let record = grouped(&facts.record().digest().to_string());
    row(flow, ("记录摘要", "SM3 of record.json"), &record, "")?;
    let place = format!(
        "区块 {}　交易日志第 {} 条（共 {} 条）",
        chain.block_number,
        chain.leaf_index.saturating_add(1),
        chain.log_size
    );
    let root = format!("日志根 {}", grouped(&chain.log_root.to_string()));
    row_of(flow, ("所在区块", "Block, place in the log"), &[&place, &root])?;
    let header = format!("区块 {}", chain.header_number);
    let hash = format!("区块头摘要 {}", grouped(&chain.header_hash.to_string()));
    row_of(flow, ("作证区块头", "Header and its hash"), &[&header, &hash])?;
    let quorum = format!(
        "{} 个验证节点中的 {} 个签名确认（至少需要 {} 个）",
        chain.validators, chain.signed, chain.needed
    );
    let english = format!(
        "{} of {} validators signed, {} needed; organisations and names from their certificates",
        chain.signed, chain.validators, chain.needed
    );
    let mut lines = vec![quorum];
    lines.extend(chain.signers.iter().map(|signer| format!("· {signer}")));
    row_in_both(flow, ("验证节点签名", "Validators' signatures"), &refs(&lines), &english)?;
    row(flow, ("背书组织", "Endorsed by"), &chain.endorsers.join("、"), "")?;
    let algorithms = "SM2 数字签名 1.2.156.10197.1.501　SM3 杂凑 1.2.156.10197.1.401";
    row(flow, ("密码算法", "Algorithms"), algorithms, "")
}

fn process(flow: &mut Flow<'_>, title: &str, log: &ProcessLog) -> Done {
    flow.section(title, "Process log")?;
    for (index, step) in log.steps().iter().enumerate() {
        let at = ChinaTime::new(step.at_ms)?.chinese();
        let label = format!("{}. {}", index + 1, step.name);
        row_of(flow, (&label, ""), &[&format!("{at}　{}", step.actor)])?;
    }
    row(flow, ("日志摘要", "SM3 of its last entry"), &grouped(log.digest()), "")?;
    sentences(flow, ("注", "Note"), &[PROCESS])
}

fn statement(flow: &mut Flow<'_>, title: &str, facts: &CertificateFacts) -> Done {
    flow.section(title, "Statement")?;
    sentences(flow, ("证明事项", "What is proven"), &PROVEN)?;
    let mut not_proven = NOT_PROVEN.to_vec();
    if !facts.originals_compared {
        not_proven.insert(0, NOT_COMPARED);
    }
    sentences(flow, ("不证明事项", "What is not proven"), &not_proven)?;
    sentences(flow, ("核验方法", "How to verify"), &VERIFICATION)?;
    sentences(flow, ("参照", "References"), &[REFERENCES])
}

fn platform(flow: &mut Flow<'_>, title: &str, id: &str, issuer: &Issuer) -> Done {
    flow.section(title, "Issuing platform")?;
    row(flow, ("平台名称", "Platform"), issuer.platform(), "")?;
    if let Some(operator) = issuer.operator() {
        row(flow, ("运营单位", "Operator"), operator, "")?;
    }
    let number = issuer.filing_number().map_or("未填报", |number| number.as_str());
    row(flow, ("备案编号", "Filing number"), number, "")?;
    if let Some(mlps) = issuer.mlps() {
        row(flow, ("等级保护", "Protection level"), &mlps.chinese(), "GB/T 22239")?;
    }
    if let Some(number) = issuer.cipher_assessment() {
        row(flow, ("密码应用评估", "Cryptographic audit"), number, "GB/T 39786")?;
    }
    if let Some(url) = issuer.verification_url() {
        row(flow, ("核验网址", "Verification"), &format!("{url}/{id}"), "")?;
    }
    let format = format!("第 {LAYOUT} 版");
    row(flow, ("证书格式", "Format"), &format, &format!("layout {LAYOUT}"))?;
    sentences(flow, ("注", "Note"), &[ISSUER, REPRODUCIBLE])
}

/// A row with one Chinese text and, if not empty, an English one.
fn row(flow: &mut Flow<'_>, label: (&str, &str), chinese: &str, english: &str) -> Done {
    row_in_both(flow, label, &[chinese], english)
}

fn row_of(flow: &mut Flow<'_>, label: (&str, &str), lines: &[&str]) -> Done {
    row_in_both(flow, label, lines, "")
}

fn row_in_both(flow: &mut Flow<'_>, label: (&str, &str), lines: &[&str], english: &str) -> Done {
    let mut value: Vec<_> = lines.iter().map(|line| (*line, VALUE)).collect();
    if !english.is_empty() {
        value.push((english, ENGLISH));
    }
    let mut names = vec![(label.0, LABEL)];
    if !label.1.is_empty() {
        names.push((label.1, ENGLISH));
    }
    flow.row(&names, &value)
}

fn sentences(flow: &mut Flow<'_>, label: (&str, &str), sentences: &[Sentence]) -> Done {
    let numbered: Vec<String> = sentences
        .iter()
        .enumerate()
        .map(|(index, (chinese, _))| match sentences.len() {
            1 => (*chinese).to_owned(),
            _ => format!("{}. {chinese}", index + 1),
        })
        .collect();
    let value: Vec<_> = numbered
        .iter()
        .zip(sentences)
        .flat_map(|(chinese, (_, english))| {
            [("", GAP), (chinese.as_str(), VALUE), (*english, ENGLISH)]
        })
        .skip(1)
        .collect();
    flow.row(&[(label.0, LABEL), (label.1, ENGLISH)], &value)
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

/// Hexadecimal digits in groups of eight.
fn grouped(hex: &str) -> String {
    let mut out = String::with_capacity(hex.len() + hex.len() / 8);
    for (index, digit) in hex.chars().enumerate() {
        if index > 0 && index.is_multiple_of(8) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Decimal digits in groups of three.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Numbers of the sections.
const NUMBERS: [&str; 8] = ["一", "二", "三", "四", "五", "六", "七", "八"];
