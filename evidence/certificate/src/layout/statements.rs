//! The fixed texts. A court reads them: each sentence says no more than what verification establishes
//! (`changbai_receipt`, element by element).

/// A sentence in both languages.
pub(super) type Sentence = (&'static str, &'static str);

pub(super) const TITLE: &str = "区块链电子数据存证证书";
pub(super) const TITLE_ENGLISH: &str =
    "Certificate of Electronic Data Recorded on a Consortium Ledger";

/// What a verified receipt proves.
pub(super) const PROVEN: [Sentence; 4] = [
    (
        "存证记录（含上列原件的 SM3 摘要和字节数）已由上列交易原样写入上列通道的账本，交易和背书的签名均验证无误。",
        "The record, with the digests and sizes above, was written unchanged to the ledger by the transaction above; the signatures of the transaction and its endorsements are right.",
    ),
    (
        "该交易在交易日志中，日志由上列区块头确认；区块头已由达到所需数目的验证节点签名，这些节点确为信任文件所载通道的验证节点，其证书可追溯至信任文件所载的根证书。",
        "The transaction is in the log to which the header above commits; a quorum of validators signed that header, they are the validators of the channel named in the trust file, and their certificates lead to its roots.",
    ),
    (
        "文件的 SM3 摘要和字节数与上列一致的，该文件即为存证时登记的电子数据，此后内容未被改动（以 SM3 的抗碰撞性为前提）。",
        "A file with the same SM3 digest and size is the data that was recorded, unaltered since (as far as SM3 resists collisions).",
    ),
    (
        "区块头中的时间表明：依验证节点的时钟，存证记录不晚于该时间存在。",
        "By the validators' clock, the record existed no later than the time in the header.",
    ),
];

/// What it does not.
pub(super) const NOT_PROVEN: [Sentence; 4] = [
    (
        "不证明原件内容真实、合法或完整，也不证明存证之前数据的来源、生成和保管情况。",
        "It does not prove that the original is true, lawful or complete, nor where it came from before it was submitted.",
    ),
    (
        "提交人、采集方式和登记事项由存证机关记录，账本只证明其记录后未被改动。",
        "Submitter, collection and fields are as the agency recorded them; the ledger proves only that they were not altered since.",
    ),
    (
        "未核查签名证书在作证时是否已被吊销；验证节点签名的证明力以多数验证节点诚实为前提。",
        "Whether a certificate had been revoked was not examined; the validators' signatures are worth what the honesty of most of them is.",
    ),
    (
        "本证书不构成公证，也不代表人民法院或主管部门的认可；证据能否采信由人民法院认定。",
        "This certificate is no notarial act and no approval by a court or an authority; whether evidence is accepted is for the court to decide.",
    ),
];

/// Added when no original was compared.
pub(super) const NOT_COMPARED: Sentence = (
    "出具本证书时未比对原件；请按下述方法自行比对原件的 SM3 摘要。",
    "No original was compared when this certificate was made; compare its SM3 digest as described below.",
);

/// How to check.
pub(super) const VERIFICATION: [Sentence; 4] = [
    (
        "计算原件的 SM3 摘要（GB/T 32905，任何符合标准的工具均可），与上列摘要逐位比对。",
        "Compute the original's SM3 digest with any conforming tool and compare it with the one above.",
    ),
    (
        "向存证机关索取证据包，从可靠渠道取得信任文件，离线运行：changbai verify 证据包 原件 --trust 信任文件。",
        "Obtain the bundle from the agency and the trust file from a source you trust; offline, run: changbai verify BUNDLE ORIGINAL --trust TRUST.",
    ),
    (
        "本文件（PDF 或 OFD）可直接核验：changbai verify 本文件 原件 --trust 信任文件；程序验证签名，并由附件重新生成页面逐字节比对。",
        "This file (PDF or OFD) can be verified itself: changbai verify FILE ORIGINAL --trust TRUST; the signature is verified, and the pages are made anew from the attachments and compared byte for byte.",
    ),
    (
        "附件含存证记录（record.json）、凭据（receipt.json）和出证说明（issuance.json），其内容优先于页面文字。",
        "Record (record.json), receipt (receipt.json) and the issuer's statement (issuance.json) are attached and prevail over what the pages say.",
    ),
];

/// References, claimed as nothing more.
pub(super) const REFERENCES: Sentence = (
    "本证书的内容项参照《电子签名法》、《人民法院在线诉讼规则》第十六条至第十九条和 SF/T 0076-2020 设置；摘要和签名算法依 GB/T 32905、GB/T 32918；签名和签章格式依 GB/T 35275、GB/T 38540。引用不表示已获认证。",
    "Contents follow the Electronic Signature Law, the Online Litigation Rules (art. 16-19) and SF/T 0076-2020; digests and signatures GB/T 32905 and GB/T 32918; signed and sealed forms GB/T 35275 and GB/T 38540. A reference is no claim of certification.",
);

/// Beside what further elements of the verification said.
pub(super) const FINDINGS: Sentence = (
    "以上为出证时的核验结果；随附材料可供重新核验。",
    "Results of the verification when the certificate was made; what is attached lets a reader verify anew.",
);

/// Beside the process log.
pub(super) const PROCESS: Sentence = (
    "以上由平台的过程日志摘录，摘要为日志末条的 SM3；日志本身见证据包中的 process.json。",
    "Taken from the platform's process log; the digest is the SM3 of its last entry. The log itself is process.json of the bundle.",
);

/// Beside the issuer's own words.
pub(super) const ISSUER: Sentence = (
    "本部分各项由平台填报，不在账本证明之列；备案、定级和测评编号由出证平台负责，备案是登记，不构成主管部门的认可。",
    "This part is the platform's own statement and not proven by the ledger; the platform answers for the numbers of filing, grading and assessment; filing is registration, no endorsement.",
);

/// Where the seal goes.
pub(super) const SEAL: Sentence = ("电子印章", "Electronic seal");

/// Until it is there.
pub(super) const UNSEALED: Sentence = ("（空白即未签章）", "(blank: not sealed)");

/// Why there is no date of issue.
pub(super) const REPRODUCIBLE: Sentence = (
    "本证书由存证记录、凭据和出证说明生成，不含出具时间，签名时间见签名；签名之前，相同输入生成相同文件。",
    "Made from record, receipt and the issuer's statement, without a date of issue; the signature has its own. Before signing, the same input gives the same file.",
);
