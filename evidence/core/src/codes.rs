//! The one table of stable error codes of the evidence domain, with what to tell people.

/// What sort of failure a code stands for; the HTTP crate maps it to a status, the command line to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The request is wrong; the same request will be refused again.
    Invalid,
    /// The caller may not do this.
    Forbidden,
    /// What was asked for does not exist.
    NotFound,
    /// It collides with what is recorded.
    Conflict,
    /// Larger than allowed.
    TooLarge,
    /// Full at the moment; come back.
    Busy,
    /// Not possible at the moment; nothing was recorded.
    Unavailable,
    /// It may or may not have been recorded; repeating the same submission is safe.
    Unknown,
    /// Stored data are not what was written.
    Damaged,
    /// A failure inside the platform.
    Internal,
}

/// A stable error code with its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCode {
    /// Such as `EV-4090`; never reused for something else.
    pub code: &'static str,
    /// What sort of failure.
    pub kind: Kind,
    /// For people, in Chinese.
    pub zh: &'static str,
    /// For people, in English.
    pub en: &'static str,
}

/// The entry of `code`.
pub fn find(code: &str) -> Option<&'static ErrorCode> {
    TABLE.iter().find(|entry| entry.code == code)
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $kind:ident, $zh:literal, $en:literal;)*) => {
        $($(#[$doc])* pub const $name: ErrorCode =
            ErrorCode { code: $code, kind: Kind::$kind, zh: $zh, en: $en };)*
        /// Every code, in ascending order.
        pub const TABLE: &[ErrorCode] = &[$($name),*];
    };
}

codes! {
    /// Bytes that are not a canonical record.
    RECORD_MALFORMED = "EV-4001", Invalid, "存证记录不符合规范格式", "the record is not in canonical form";
    /// A business type that does not exist.
    BUSINESS_TYPE_UNKNOWN = "EV-4002", Invalid, "业务类型不存在", "unknown business type";
    /// A field that the business type does not have.
    FIELD_UNKNOWN = "EV-4003", Invalid, "该业务类型没有此字段", "the business type has no such field";
    /// A required field that is not there.
    FIELD_MISSING = "EV-4004", Invalid, "缺少必填字段", "a required field is missing";
    /// A field with too many characters.
    FIELD_TOO_LONG = "EV-4005", Invalid, "字段内容过长", "a field is too long";
    /// A field of the wrong form.
    FIELD_FORMAT = "EV-4006", Invalid, "字段格式不正确", "a field does not have the required form";
    /// A field given twice.
    FIELD_TWICE = "EV-4007", Invalid, "字段重复", "a field is given twice";
    /// No originals, too many, the same one twice, or a wrong media type or size.
    ORIGINALS = "EV-4008", Invalid, "原件信息不正确", "the originals are not acceptable";
    /// Not an evidence id, or a typing error in one.
    EVIDENCE_ID = "EV-4009", Invalid, "存证编号不正确（校验位不符或格式错误）", "not an evidence id, or mistyped";
    /// Not an SM3 digest.
    DIGEST = "EV-4010", Invalid, "SM3 摘要格式不正确", "not an SM3 digest";
    /// A query with a wrong limit or time range.
    QUERY = "EV-4011", Invalid, "查询条件不正确", "the query is not acceptable";
    /// A cursor that no listing gave out.
    CURSOR = "EV-4012", Invalid, "翻页游标无效", "the cursor is not valid";
    /// Agency, submitter, collection or time of a record are not acceptable.
    PROVENANCE = "EV-4013", Invalid, "来源信息不正确", "the provenance is not acceptable";
    /// A contract call with a wrong function or number of arguments.
    CALL = "EV-4014", Invalid, "合约调用不正确", "no such contract function or wrong arguments";
    /// A batch with lines that cannot be recorded.
    BATCH_LINES = "EV-4020", Invalid, "批次中有不能存证的行，整批未存证", "the batch has lines that cannot be recorded: nothing of it was";
    /// A line of a batch that is not one JSON object of the known members.
    BATCH_LINE = "EV-4021", Invalid, "该行不是规定格式的 JSON 对象", "the line is not a JSON object of the known members";
    /// A line of a batch with more bytes than a line may have.
    BATCH_LINE_TOO_LONG = "EV-4022", Invalid, "该行过长", "the line is too long";
    /// A digest that an earlier line of the same batch has.
    BATCH_DIGEST_TWICE = "EV-4023", Invalid, "同一批次中摘要重复", "the digest is twice in the batch";
    /// A reference of the wrong form.
    BATCH_REFERENCE = "EV-4024", Invalid, "客户参考号格式不正确", "the reference does not have the required form";
    /// A batch without digests.
    BATCH_EMPTY = "EV-4025", Invalid, "批次中没有摘要", "the batch has no digests";
    /// A record of another agency than the caller's.
    FOREIGN_AGENCY = "EV-4030", Forbidden, "不能以其他机关的名义存证", "the record names another agency than the caller's";
    /// A new version of another agency's record.
    FOREIGN_PREVIOUS = "EV-4031", Forbidden, "不能为其他机关的存证添加新版本", "the previous record belongs to another agency";
    /// No such evidence.
    NOT_FOUND = "EV-4040", NotFound, "存证不存在", "no such evidence";
    /// The record to be succeeded does not exist.
    PREVIOUS_NOT_FOUND = "EV-4041", NotFound, "上一版本的存证不存在", "the previous record does not exist";
    /// The original is not in custody here.
    ORIGINAL_NOT_HELD = "EV-4042", NotFound, "平台未保管该原件", "the original is not in custody here";
    /// The record is on the ledger, but no header covers it yet.
    NOT_YET_PROVEN = "EV-4043", Unavailable, "存证已上链，回执尚未生成，请稍后再试", "recorded, but not yet proven; try again shortly";
    /// The record is no batch, or this node does not keep its digests.
    BATCH_NOT_HELD = "EV-4044", NotFound, "该存证不是批次，或本节点未保存其摘要清单", "the record is no batch, or this node does not keep its digests";
    /// The batch has no such digest.
    BATCH_NO_DIGEST = "EV-4045", NotFound, "批次中没有此摘要", "the batch has no such digest";
    /// The process log is kept by another node.
    PROCESS_LOG_ELSEWHERE = "EV-4046", NotFound, "本节点没有该存证的全程留痕日志（由提交存证的节点保存）", "this node has no process log of the record: the node that submitted it keeps it";
    /// The record is not in the judicial directory.
    DIRECTORY_ABSENT = "EV-4047", NotFound, "该存证不在跨链互认目录中", "the record is not in the judicial directory";
    /// The same submission is already recorded.
    DUPLICATE = "EV-4090", Conflict, "该原件已由同一提交人存证", "already recorded";
    /// The id is taken.
    ID_TAKEN = "EV-4091", Conflict, "存证编号已被使用", "the evidence id is already in use";
    /// The record to be succeeded already has a successor.
    PREVIOUS_NOT_LATEST = "EV-4092", Conflict, "指定的上一版本不是最新版本", "the previous record already has a newer version";
    /// A new version with the same originals.
    PREVIOUS_SAME = "EV-4093", Conflict, "新版本与上一版本的原件相同", "the new version has the same originals as the previous one";
    /// The originals are recorded already, but not as a version of the record named.
    DUPLICATE_ELSEWHERE = "EV-4094", Conflict, "该原件已存证，但不是所指定存证的新版本", "already recorded, but not as a version of the record named";
    /// Others kept being faster.
    CONTENDED = "EV-4095", Conflict, "并发冲突，请重试", "too many concurrent changes; try again";
    /// The node has put another anchor under this number on the ledger.
    ANCHOR_TAKEN = "EV-4096", Conflict, "该编号的留痕锚定已上链，且内容不同", "another anchor of this log is on the ledger under this number";
    /// The record is in the judicial directory already.
    DIRECTORY_ADMITTED = "EV-4097", Conflict, "该存证已入跨链互认目录", "the record is in the judicial directory already";
    /// A record above 64 KiB.
    RECORD_TOO_LARGE = "EV-4130", TooLarge, "存证记录过大", "the record is too large";
    /// An original above the configured size.
    ORIGINAL_TOO_LARGE = "EV-4131", TooLarge, "原件过大", "the original is too large";
    /// A batch with more digests than a batch may have.
    BATCH_TOO_LARGE = "EV-4132", TooLarge, "批次摘要数量超过上限", "the batch has too many digests";
    /// The record has a character that the certificate's font lacks.
    CERTIFICATE_GLYPH = "EV-4160", Invalid, "存证记录含证书字库没有的字，无法出具证书", "the record has a character that the certificate's font lacks";
    /// A certificate of a whole batch, which is about no original.
    BATCH_CERTIFICATE = "EV-4161", Invalid, "批次须指明其中一项摘要才能出具证书", "a certificate of a batch is about one of its digests: name it";
    /// A record that does not pass every gate of the judicial directory.
    DIRECTORY_REFUSED = "EV-4220", Invalid, "未通过跨链互认目录的准入校验", "the record does not pass every gate of the judicial directory";
    /// Gate: certificates of national cryptography.
    GATE_ALGORITHMS = "EV-4221", Invalid, "国密算法：提交者或证书机构的证书不是 SM2/SM3 证书", "algorithms: the submitter's or its authority's certificate is not one of SM2 with SM3";
    /// Gate: an identity that the authority of the agency's own node certified.
    GATE_IDENTITY = "EV-4222", Invalid, "实名身份：提交者证书与记录不符，或不是由本机构节点的证书机构签发", "identity: the certificate is not the record's submitter's, or not issued by the authority of the agency's node";
    /// Gate: a bound of the time.
    GATE_TIME = "EV-4223", Invalid, "可信时间：记录时间没有误差上界，或超过 10 毫秒", "time: the record's time has no bound of its error, or one above 10 ms";
    /// Gate: a complete process log, anchored on the ledger.
    GATE_PROCESS_LOG = "EV-4224", Invalid, "全程留痕：日志不完整、签名不正确，或尚未锚定上链", "process log: it is incomplete, its signature is wrong, or it is not anchored on the ledger yet";
    /// Gate: a filing number.
    GATE_FILING_NUMBER = "EV-4225", Invalid, "备案编号：本机构尚未在账本上声明备案编号", "filing number: the agency has not declared one on the ledger";
    /// Gate: a certificate that was handed out.
    GATE_CERTIFICATE = "EV-4226", Invalid, "存证证书：已锚定的留痕日志中没有导出该证书的记录", "certificate: the anchored process log has no entry of handing this certificate out";
    /// Not a filing number.
    FILING_NUMBER = "EV-4227", Invalid, "备案编号格式不正确，应如粤网信备44030524273626860016号", "not a filing number of the usual form";
    /// The ledger or this process is full.
    BUSY = "EV-4290", Busy, "系统繁忙，请稍后重试", "busy; try again later";
    /// The ledger or its store failed in an unexpected way.
    INTERNAL = "EV-4500", Internal, "系统内部错误", "internal failure";
    /// It is not known whether the submission was recorded.
    OUTCOME_UNKNOWN = "EV-4501", Unknown, "提交结果未知：可能已上链，请用相同内容重新提交以确认", "the outcome is not known: it may have been recorded; submit the same again to find out";
    /// The ledger is not available.
    LEDGER_UNAVAILABLE = "EV-4502", Unavailable, "账本暂不可用", "the ledger is not available";
    /// Stored data are damaged.
    DAMAGED = "EV-4503", Damaged, "存储数据损坏", "stored data are damaged";
    /// The store of originals or openings failed.
    STORE = "EV-4504", Unavailable, "原件或个人信息存储失败", "the store of originals or personal values failed";
    /// The random number generator failed.
    RANDOM = "EV-4505", Unavailable, "随机数发生器故障", "the random number generator failed";
    /// The clock shows a time that no record can carry.
    CLOCK = "EV-4506", Unavailable, "系统时钟异常", "the clock shows an impossible time";
    /// No bound of the clock's error, where records must carry one.
    TIME_UNBOUNDED = "EV-4507", Unavailable, "时钟误差未知或过大，暂停受理存证，查询照常", "the clock's error is unknown or too large: no submissions for now, reads go on";
    /// Another agency's node does not endorse the record's time.
    TIME_NOT_ENDORSED = "EV-4508", Unavailable, "其他机构不为该存证时间背书：本节点时钟误差未知，或与其时钟不符", "another agency does not endorse the record's time: nobody bounds this node's clock, or it differs from theirs";
    /// The process log cannot be written or read.
    PROCESS_LOG = "EV-4509", Unavailable, "全程留痕日志无法写入或读取，暂停受理存证", "the process log cannot be written or read: no submissions for now";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_bilingual() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for entry in TABLE {
            assert!(entry.code.starts_with("EV-4") && entry.code.len() == 7, "{}", entry.code);
            assert!(!entry.zh.is_ascii() && entry.en.is_ascii(), "{}", entry.code);
            assert_eq!(find(entry.code), Some(entry));
        }
        assert_eq!(find("EV-0000"), None);
    }
}
