//! Every sentence that verification can say, with its stable code, in Chinese and English.
//!
//! Codes are `VF-` and four digits: the first two name the element, `00` is success, `8x` absent, `9x` could not
//! be checked, everything else a failure. A code keeps its meaning for ever; texts may be improved. `{0}`, `{1}` …
//! stand for facts: numbers, names, digests; never for personal data.

use crate::report::Status;

/// One thing that verification can say about one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, `VF-nnnn`.
    pub code: &'static str,
    /// The element it is said of.
    pub element: &'static str,
    /// What it means for that element.
    pub status: Status,
    /// The sentence in Chinese, with `{0}` … for facts.
    pub zh: &'static str,
    /// The sentence in English, with the same facts.
    pub en: &'static str,
}

/// The whole table, in the order of the codes.
pub const fn reasons() -> &'static [Reason] {
    ALL
}

macro_rules! table {
    ($($element:literal: { $($name:ident $status:ident $code:literal $zh:literal $en:literal)* })*) => {
        $($(pub(crate) const $name: &Reason = &Reason {
            code: $code, element: $element, status: Status::$status, zh: $zh, en: $en,
        };)*)*
        const ALL: &[Reason] = &[$($(*$name,)*)*];
    };
}

table! {
    "container": {
        CONTAINER_PROVEN Proven "VF-1000"
            "证据包文件完整，每个字节都符合规定格式。"
            "The bundle file is complete and every byte of it has its prescribed form."
        CONTAINER_TRUNCATED Failed "VF-1001"
            "证据包文件不完整，在第 {0} 字节处中断。"
            "The bundle file is incomplete: it breaks off at byte {0}."
        CONTAINER_ALTERED Failed "VF-1002"
            "证据包文件被改动过，或者不是本格式的证据包（第 {0} 字节附近）。"
            "The bundle file was altered, or is no bundle of this format (near byte {0})."
        CONTAINER_CHECKSUM Failed "VF-1003"
            "证据包内的文件 {0} 与其校验码不符，已损坏或被改动。"
            "The file {0} in the bundle does not match its checksum: it is damaged or was altered."
        CONTAINER_TRAILING Failed "VF-1004"
            "证据包文件末尾被附加了多余内容（从第 {0} 字节起）。"
            "Something was appended to the bundle file (from byte {0} on)."
        CONTAINER_ENTRY Failed "VF-1005"
            "证据包内有不应存在、重复或次序错误的文件：{0}。"
            "The bundle holds a file that does not belong there, twice, or out of order: {0}."
        CONTAINER_MISSING Failed "VF-1006"
            "证据包缺少必备文件 {0}。"
            "The bundle lacks the required file {0}."
        CONTAINER_TOO_LARGE Failed "VF-1007"
            "证据包内的文件 {0} 超过规定大小。"
            "The file {0} in the bundle is larger than allowed."
        CONTAINER_RECEIPT Failed "VF-1008"
            "凭据（receipt.json）不符合规定格式，已损坏或被改动。"
            "The receipt (receipt.json) does not have its prescribed form: it is damaged or was altered."
        CONTAINER_CERTIFICATE Failed "VF-1009"
            "凭据中的一张证书已损坏、被改动，或不是国密 SM2 证书。"
            "A certificate in the receipt is damaged, was altered, or is not an SM2 certificate."
        CONTAINER_PAGE Failed "VF-1010"
            "证据包内的核验页面（verify.html）不是本程序所知的正式页面：可能被调换，其显示的结论不可信，请勿打开。"
            "The verification page in the bundle (verify.html) is none that this verifier knows: it may have been exchanged, and what it shows cannot be trusted. Do not open it."
        CONTAINER_ABSENT Absent "VF-1080"
            "没有证据包文件，直接核验了记录与凭据。"
            "There is no bundle file; record and receipt were examined directly."
        CONTAINER_UNREADABLE Unchecked "VF-1090"
            "证据包文件无法从存储设备读出，未能核验。"
            "The bundle file could not be read from where it is kept, so it was not examined."
    }
    "record": {
        RECORD_PROVEN Proven "VF-1100"
            "存证记录格式规范，存证编号 {0} 正确。"
            "The record is well-formed and its evidence id {0} is correct."
        RECORD_ALTERED Failed "VF-1101"
            "存证记录（record.json）不符合规定格式，已损坏或被改动。"
            "The record (record.json) does not have its prescribed form: it is damaged or was altered."
        RECORD_UNCHECKED Unchecked "VF-1190"
            "因证据包不可用，未核验存证记录。"
            "The record was not examined, because the bundle is unusable."
    }
    "transaction": {
        TRANSACTION_PROVEN Proven "VF-1200"
            "账本上的交易 {0} 登记的正是这份记录；交易被判定有效，提交方和 {1} 个背书方的签名正确。"
            "Transaction {0} on the ledger records exactly this record; it was judged valid, and the signatures of its creator and {1} endorser(s) are correct."
        TRANSACTION_MALFORMED Failed "VF-1201"
            "凭据中的交易不符合规定格式（{0}）。"
            "The transaction in the receipt does not have its prescribed form ({0})."
        TRANSACTION_INVALID Failed "VF-1202"
            "账本判定该交易无效（{0}），记录没有成为证据。"
            "The ledger judged this transaction invalid ({0}): the record did not become evidence."
        TRANSACTION_OTHER_CALL Failed "VF-1203"
            "凭据中的交易不是存证登记（{0}），不能证明任何记录。"
            "The transaction in the receipt does not record evidence ({0}), so it proves no record."
        TRANSACTION_OTHER_RECORD Failed "VF-1204"
            "账本上的交易登记的是另一份记录，与证据包内的记录不一致。"
            "The transaction on the ledger recorded something else than the record in this bundle."
        TRANSACTION_OTHER_CHANNEL Failed "VF-1205"
            "交易属于另一个通道（{0}），凭据却属于通道 {1}。"
            "The transaction belongs to another channel ({0}) than the receipt ({1})."
        TRANSACTION_CREATOR Failed "VF-1206"
            "提交方对交易的签名不正确。"
            "The creator's signature on the transaction is wrong."
        TRANSACTION_ENDORSER Failed "VF-1207"
            "第 {0} 个背书方对交易结果的签名不正确。"
            "The signature of endorser {0} on the transaction's result is wrong."
        TRANSACTION_UNENDORSED Failed "VF-1208"
            "交易没有任何背书签名。"
            "The transaction carries no endorsement."
        TRANSACTION_ENDORSED_TWICE Failed "VF-1209"
            "同一背书方在交易中出现两次。"
            "The same endorser appears twice in the transaction."
        TRANSACTION_OTHER_AGENCY Failed "VF-1210"
            "提交交易的机构（{0}）不是记录所载的机构（{1}）。"
            "The organisation that submitted the transaction ({0}) is not the one in the record ({1})."
        TRANSACTION_REFUSED Failed "VF-1211"
            "存证合约没有接受该登记（状态 {0}）。"
            "The evidence contract did not accept this recording (status {0})."
        TRANSACTION_NOT_WRITTEN Failed "VF-1212"
            "经背书的结果没有把这份记录写入账本。"
            "The endorsed result does not write this record to the ledger."
        TRANSACTION_IDENTITY Failed "VF-1213"
            "交易签名人的身份信息损坏，或不是国密 SM2 证书。"
            "The identity of a signer of the transaction is malformed, or not an SM2 certificate."
        TRANSACTION_UNCHECKED Unchecked "VF-1290"
            "因凭据不可用，未核验交易。"
            "The transaction was not examined, because the receipt is unusable."
    }
    "inclusion": {
        INCLUSION_PROVEN Proven "VF-1300"
            "已证明该交易是账本交易日志的第 {0} 条（截至区块头共 {1} 条）。"
            "The transaction is proven to be entry {0} of the ledger's transaction log (of {1} up to the header)."
        INCLUSION_WRONG Failed "VF-1301"
            "证明路径不能由该交易通向区块头中的日志根：交易、判定结果或路径被改动。"
            "The proof does not lead from this transaction to the log root in the header: transaction, verdict or path was altered."
        INCLUSION_OTHER_SIZE Failed "VF-1302"
            "证明路径针对 {0} 条的日志，区块头记载的却是 {1} 条。"
            "The proof is for a log of {0} entries, while the header states {1}."
        INCLUSION_ORDER Failed "VF-1303"
            "交易所在区块（{0}）不早于作证的区块头（{1}）。"
            "The transaction's block ({0}) does not precede the header that vouches for it ({1})."
        INCLUSION_UNCHECKED Unchecked "VF-1390"
            "因凭据不可用，未核验交易在账本中的位置。"
            "The transaction's place on the ledger was not examined, because the receipt is unusable."
    }
    "header": {
        HEADER_PROVEN Proven "VF-1400"
            "通道 {4} 的区块头 {0} 由 {2} 个验证节点中的 {1} 个签名确认（至少需要 {3} 个）。"
            "Header {0} of channel {4} is signed by {1} of {2} validators (at least {3} are needed)."
        HEADER_QUORUM Failed "VF-1401"
            "区块头只有 {0} 个验证节点签名，少于所需的 {1} 个。"
            "Only {0} validators signed the header, fewer than the {1} needed."
        HEADER_SIGNATURE Failed "VF-1402"
            "验证节点 {0} 对区块头的签名不正确：区块头或签名被改动。"
            "The signature of validator {0} on the header is wrong: header or signature was altered."
        HEADER_STRANGER Failed "VF-1403"
            "对区块头签名的 {0} 不在验证节点名单中。"
            "{0}, who signed the header, is not in the list of validators."
        HEADER_SIGNED_TWICE Failed "VF-1404"
            "验证节点的签名重复或次序错误。"
            "A validator's signature is there twice, or the signatures are out of order."
        HEADER_OTHER_SET Failed "VF-1405"
            "凭据中的验证节点名单不是区块头所确认的名单。"
            "The validators in the receipt are not those that the header commits to."
        HEADER_SAME_VALIDATOR Failed "VF-1406"
            "验证节点名单为空，或同一节点出现两次。"
            "The list of validators is empty, or names one of them twice."
        HEADER_UNCHECKED Unchecked "VF-1490"
            "因凭据不可用，未核验区块头。"
            "The header was not examined, because the receipt is unusable."
    }
    "certificates": {
        CERTIFICATES_PROVEN Proven "VF-1500"
            "全部 {0} 张签名证书在作证时有效、用途正确，并由您信任的根证书签发。"
            "All {0} signing certificates were valid at the time, had the right role and were issued under roots you trust."
        CERTIFICATES_VALIDATOR_ROLE Failed "VF-1501"
            "证书“{0}”不是排序（验证）节点证书，无权确认区块。"
            "The certificate “{0}” is not an orderer's (validator's): it may not confirm blocks."
        CERTIFICATES_ENDORSER_ROLE Failed "VF-1502"
            "证书“{0}”不是背书节点证书，无权为交易背书。"
            "The certificate “{0}” is not a peer's: it may not endorse transactions."
        CERTIFICATES_EXPIRED Failed "VF-1503"
            "证书“{0}”或其上级证书在作证时已过期。"
            "The certificate “{0}”, or one above it, had expired at the time."
        CERTIFICATES_TOO_EARLY Failed "VF-1504"
            "证书“{0}”或其上级证书在作证时尚未生效。"
            "The certificate “{0}”, or one above it, was not yet valid at the time."
        CERTIFICATES_ISSUER Failed "VF-1505"
            "证书“{0}”不是由您信任的任何根证书签发的。"
            "The certificate “{0}” was not issued under any root you trust."
        CERTIFICATES_SIGNATURE Failed "VF-1506"
            "证书“{0}”或其上级证书的签发签名不正确：是伪造的，或被改动过。"
            "The issuer's signature on the certificate “{0}”, or on one above it, is wrong: it is forged or was altered."
        CERTIFICATES_RULES Failed "VF-1507"
            "证书“{0}”的证书链不符合规定（用途、层级或扩展项）。"
            "The chain of the certificate “{0}” breaks the rules (usage, depth or extensions)."
        CERTIFICATES_UNUSED Failed "VF-1508"
            "凭据夹带了与本证据无关的证书“{0}”，或中间证书重复、次序错误。"
            "The receipt carries a certificate “{0}” that this evidence does not need, or intermediates twice or out of order."
        CERTIFICATES_UNCHECKED Unchecked "VF-1590"
            "没有提供信任的根证书，无法核验证书由谁签发；证书的用途已核验。"
            "No trusted root was supplied, so who issued the certificates could not be checked; their roles were."
        CERTIFICATES_NO_RECEIPT Unchecked "VF-1591"
            "因凭据或交易不可用，未核验证书。"
            "The certificates were not examined, because receipt or transaction is unusable."
    }
    "trust": {
        TRUST_PROVEN Proven "VF-1600"
            "证书链的终点是您提供的信任根（SM3 指纹 {0}）。"
            "The certificates lead to the trusted root you supplied (SM3 fingerprint {0})."
        TRUST_OTHER Failed "VF-1601"
            "凭据所依据的根证书（SM3 指纹 {0}）不在您提供的信任根之中。"
            "The root this receipt relies on (SM3 fingerprint {0}) is not among the trusted roots you supplied."
        TRUST_ALTERED Failed "VF-1602"
            "凭据声明的根证书与证书链的实际终点不一致，凭据被改动。"
            "The roots that the receipt names are not those its certificates lead to: the receipt was altered."
        TRUST_NONE Unchecked "VF-1690"
            "没有提供信任的根证书；证据包不能为自己的根证书作保。请从可靠渠道取得指纹为 {0} 的根证书后再核验。"
            "No trusted root was supplied, and a bundle cannot vouch for its own. Obtain the root with fingerprint {0} from a source you trust and verify again."
        TRUST_UNCHECKED Unchecked "VF-1691"
            "因凭据不可用或证书链不成立，无法认定信任根。"
            "The trusted root could not be established, because the receipt is unusable or its certificates failed."
    }
    "original": {
        ORIGINAL_PROVEN Proven "VF-1700"
            "全部 {0} 份原件与记录一致（SM3 摘要和字节数）。"
            "All {0} original(s) are the ones in the record (by SM3 digest and size)."
        ORIGINAL_ALTERED Failed "VF-1701"
            "证据包内的原件 {0} 与记录不一致：内容被改动或调换。"
            "The original {0} in the bundle is not the one in the record: it was altered or exchanged."
        ORIGINAL_SUPPLIED_DIFFERS Failed "VF-1702"
            "您提供的文件“{0}”与记录中的任何原件都不一致：内容不同或被改动。"
            "The file “{0}” you supplied is none of the originals in the record: it is another one or was altered."
        ORIGINAL_UNKNOWN Failed "VF-1703"
            "证据包内的原件 {0} 不是记录所列的原件。"
            "The original {0} in the bundle is not listed in the record."
        ORIGINAL_MISSING Unchecked "VF-1790"
            "没有第 {0} 份原件可供比对；请提供原件后再核验。"
            "Original(s) {0} were not at hand to compare; supply them and verify again."
        ORIGINAL_UNCHECKED Unchecked "VF-1791"
            "因存证记录不可用，未核验原件。"
            "The originals were not examined, because the record is unusable."
        ORIGINAL_NO_DIGEST Unchecked "VF-1792"
            "没有可用的批量存证路径（batch.json），无法判断原件是否属于该批次。"
            "Without a usable path within the batch (batch.json) nothing can be said about an original."
    }
    "disclosures": {
        DISCLOSURES_PROVEN Proven "VF-1800"
            "披露的 {0} 项个人信息与记录中的承诺一致。"
            "The {0} disclosed personal value(s) match the commitments in the record."
        DISCLOSURES_MALFORMED Failed "VF-1801"
            "披露文件（disclosures.json）不符合规定格式，已损坏或被改动。"
            "The disclosures (disclosures.json) do not have their prescribed form: they are damaged or were altered."
        DISCLOSURES_WRONG Failed "VF-1802"
            "披露的“{0}”与记录中的承诺不符：内容被改动。"
            "The disclosed “{0}” does not match its commitment in the record: it was altered."
        DISCLOSURES_UNKNOWN Failed "VF-1803"
            "披露的“{0}”在记录中没有对应的承诺。"
            "The record holds no commitment for the disclosed “{0}”."
        DISCLOSURES_ABSENT Absent "VF-1880"
            "没有披露个人信息。"
            "No personal values are disclosed."
        DISCLOSURES_UNCHECKED Unchecked "VF-1890"
            "因存证记录不可用，未核验披露的个人信息。"
            "The disclosed values were not examined, because the record is unusable."
    }
    "validators": {
        VALIDATORS_PROVEN Proven "VF-1900"
            "验证节点集合确为通道 {0} 所有：由您的信任文件（{1}）认定。"
            "The validators are those of channel {0}: your trust file ({1}) leads to them."
        VALIDATORS_OTHER_CHANNEL Failed "VF-1901"
            "您的信任文件没有载明通道 {0}：该凭据可能出自他人自建的通道。"
            "Your trust file does not name channel {0}: the receipt may come from a channel somebody made for it."
        VALIDATORS_UNLISTED Failed "VF-1902"
            "验证节点集合（{0}）不在信任文件为通道 {1} 所列之中，凭据也没有说明其由来：可能是持有证书者自行拼凑的。"
            "The validators ({0}) are none that your trust file lists for channel {1}, and the receipt does not say how they came about: a holder of a certificate may have made them up."
        VALIDATORS_OTHER_GENESIS Failed "VF-1903"
            "凭据出自另一个名为 {0} 的通道：其创世区块（{1}）不是信任文件所载的。"
            "The receipt comes from another channel that calls itself {0}: its genesis block ({1}) is not the one in your trust file."
        VALIDATORS_BROKEN Failed "VF-1904"
            "通道配置的变更链在区块 {0} 处不成立：缺失、多余或被改动。"
            "The chain of the channel's configurations does not hold at block {0}: something is missing, superfluous or altered."
        VALIDATORS_SIGNATURES Failed "VF-1905"
            "配置区块 {0} 没有得到当时多数验证节点的正确签名。"
            "Configuration block {0} is not properly signed by a quorum of the validators then in office."
        VALIDATORS_CONFIGURATION Failed "VF-1906"
            "配置区块 {0} 中的变更未按通道规则获得同意（{1}）。"
            "The change in configuration block {0} was not agreed to by the channel's rules ({1})."
        VALIDATORS_OTHER_SET Failed "VF-1907"
            "凭据的验证节点集合（{0}）不是通道配置所指定的。"
            "The validators of the receipt ({0}) are not those that the channel's configurations lead to."
        VALIDATORS_UNANCHORED Absent "VF-1980"
            "信任文件只有根证书，没有载明通道：验证节点仅由证书担保。若该根证书之下另有他人持有排序节点证书，其本可自行制作此凭据。"
            "Your trust file holds roots alone and names no channel: only certificates vouch for the validators. If others hold orderers' certificates below those roots, any of them could have made this receipt."
        VALIDATORS_UNCHECKED Unchecked "VF-1990"
            "没有提供信任文件，无法认定验证节点。"
            "No trust file was supplied, so the validators could not be established."
        VALIDATORS_NO_RECEIPT Unchecked "VF-1991"
            "因凭据不可用，未核验验证节点。"
            "The validators were not examined, because the receipt is unusable."
        VALIDATORS_NO_CHANNEL Unchecked "VF-1992"
            "信任文件只有根证书，没有载明通道 {0}。请从可靠渠道取得载有该通道（创世区块 {1}）的信任文件后再核验。"
            "Your trust file holds roots alone and does not name channel {0}. Obtain one that does (genesis block {1}) from a source you trust, and verify again."
    }
    "batch": {
        BATCH_PROVEN Proven "VF-2000"
            "摘要 {0} 是该批量存证的第 {1} 项（共 {2} 项），由记录中的批次根担保。"
            "The digest {0} is number {1} of the {2} in this batch, vouched for by the root in the record."
        BATCH_MALFORMED Failed "VF-2001"
            "批量存证路径（batch.json）不符合规定格式，已损坏或被改动。"
            "The path within the batch (batch.json) does not have its prescribed form: it is damaged or was altered."
        BATCH_WRONG Failed "VF-2002"
            "所附路径不能由该摘要（第 {0} 项）通向记录中的批次根：摘要或路径被改动，或属于另一批次。"
            "The path does not lead from this digest (number {0}) to the root in the record: digest or path was altered, or is another batch's."
        BATCH_NO_BATCH Failed "VF-2003"
            "证据包内有批量存证路径（batch.json），但该记录不是批量存证。"
            "The bundle holds a path within a batch (batch.json), but the record is no batch."
        BATCH_ABSENT Absent "VF-2080"
            "本证据不是批量存证中的一项。"
            "This evidence is not one of a batch."
        BATCH_UNCHECKED Unchecked "VF-2090"
            "证据包内有批量存证路径（batch.json），但未能核验。"
            "The bundle holds a path within a batch (batch.json), which was not examined."
        BATCH_UNREAD Unchecked "VF-2091"
            "因证据包不可用，未核验是否属于批量存证。"
            "Whether this is one of a batch was not examined, because the bundle is unusable."
        BATCH_NO_PATH Unchecked "VF-2092"
            "该记录是 {0} 项摘要的批量存证，证据包没有附上其中任何一项的路径（batch.json）。"
            "The record is a batch of {0} digests; the bundle holds the path of none of them (batch.json)."
    }
    "log_consistency": {
        LOG_CONSISTENCY_PROVEN Proven "VF-2100"
            "账本日志只增不改：凭据所依据的前 {0} 条交易，原样包含在日志签名的检查点（共 {1} 条）中。"
            "The ledger's log only grew: the first {0} transactions, on which the receipt rests, stand unchanged in the checkpoint over {1} that the log signed."
        LOG_CONSISTENCY_MALFORMED Failed "VF-2101"
            "日志检查点（checkpoint.json）不符合规定格式，已损坏或被改动。"
            "The checkpoint (checkpoint.json) does not have its prescribed form: it is damaged or was altered."
        LOG_CONSISTENCY_OTHER_LOG Failed "VF-2102"
            "检查点属于另一个日志，与凭据的通道无关。"
            "The checkpoint is of another log than the receipt's channel."
        LOG_CONSISTENCY_REWRITTEN Failed "VF-2103"
            "检查点与凭据的区块头不一致：日志被改写，或一致性证明被改动。"
            "The checkpoint is not consistent with the receipt's header: the log was rewritten, or the proof was altered."
        LOG_CONSISTENCY_SIGNATURE Failed "VF-2104"
            "检查点上日志的签名不正确。"
            "The log's signature on the checkpoint is wrong."
        LOG_CONSISTENCY_UNSIGNED Failed "VF-2105"
            "检查点没有由信任文件或证书认可的日志公钥签名。"
            "No key that the trust file or a certificate vouches for signed the checkpoint."
        LOG_CONSISTENCY_CERTIFICATE Failed "VF-2106"
            "为检查点签名的证书不可信，或者无权签名：{0}。"
            "The certificate of whoever signed the checkpoint is not trusted, or not meant for it: {0}."
        LOG_CONSISTENCY_ABSENT Absent "VF-2180"
            "没有附带账本日志的检查点：日志未被改写，仅由区块头的签名担保。"
            "No checkpoint of the ledger's log is attached: only the signatures on the header vouch that the log was not rewritten."
        LOG_CONSISTENCY_UNREAD Unchecked "VF-2191"
            "因证据包不可用，未核验日志检查点。"
            "A checkpoint of the log was not examined, because the bundle is unusable."
        LOG_CONSISTENCY_NO_ROOTS Unchecked "VF-2192"
            "检查点与区块头一致，但没有可信的根证书，未能判断由谁签名。"
            "The checkpoint is consistent with the header; who signed it was not judged, for want of trusted root certificates."
    }
    "witness": {
        WITNESS_PROVEN Proven "VF-2200"
            "{0} 个可信的见证人（要求至少 {1} 个）核对日志只增不改后联署：{2}。"
            "{0} trusted witnesses (at least {1} are required) cosigned after checking that the log only grew: {2}."
        WITNESS_SIGNATURE Failed "VF-2201"
            "见证人 {0} 的联署不正确。"
            "The cosignature of the witness {0} is wrong."
        WITNESS_FEW Failed "VF-2202"
            "只有 {0} 个可信的见证人联署，少于要求的 {1} 个：{2}。"
            "Only {0} trusted witnesses cosigned, fewer than the {1} that are required: {2}."
        WITNESS_ABSENT Absent "VF-2280"
            "没有第三方见证人的联署。"
            "No independent witness cosigned."
        WITNESS_UNKNOWN Absent "VF-2281"
            "检查点有 {0} 个联署，但信任文件没有载明见证人，不作判断。"
            "The checkpoint bears {0} cosignatures; the trust file names no witnesses, so they count for nothing."
        WITNESS_UNCHECKED Unchecked "VF-2290"
            "未核验见证人的联署。"
            "The cosignatures of witnesses were not examined."
        WITNESS_WANTED Unchecked "VF-2291"
            "信任文件要求至少 {0} 个见证人联署，但没有附带检查点。"
            "The trust file requires cosignatures of at least {0} witnesses, and no checkpoint is attached."
    }
    "time_token": {
        TIME_TOKEN_PROVEN Proven "VF-2300"
            "时间戳机构（{1}）证明：包含本记录的日志检查点不晚于 {0} 已经存在（其声明的误差，微秒：{2}；“-”表示未声明）。"
            "The time-stamp authority ({1}) states that the checkpoint with this record existed no later than {0} (accuracy that it states, in microseconds: {2}; '-' if none)."
        TIME_TOKEN_IMPRINT Failed "VF-2301"
            "时间戳令牌盖的不是这个检查点。"
            "The time-stamp token is over something else than this checkpoint."
        TIME_TOKEN_REFUSED Failed "VF-2302"
            "时间戳令牌无效（{0}）：{1}。"
            "The time-stamp token is refused ({0}): {1}."
        TIME_TOKEN_EARLIER Failed "VF-2303"
            "时间戳令牌的时间 {0} 早于区块头的时间 {1}，两者矛盾。"
            "The time-stamp token is of {0}, before the header's time {1}: they contradict each other."
        TIME_TOKEN_ABSENT Absent "VF-2380"
            "没有附带时间戳令牌：时间由验证节点的签名和记录中的时钟误差担保。"
            "No time-stamp token is attached: the validators' signatures and the clock's bound in the record vouch for the time."
        TIME_TOKEN_UNCHECKED Unchecked "VF-2390"
            "未核验时间戳令牌。"
            "The time-stamp token was not examined."
        TIME_TOKEN_NO_ROOTS Unchecked "VF-2391"
            "时间戳令牌盖的是这个检查点，但没有可信的时间戳根证书，未能判断由谁签发。"
            "The time-stamp token is over this checkpoint; who issued it was not judged, for want of trusted root certificates."
    }
    "time_bound": {
        TIME_BOUND_PROVEN Proven "VF-2400"
            "记录的时间取自已同步的时钟，提交节点签名载明误差不超过 {0} 微秒（规定上限 {1} 微秒）。"
            "The record's time comes from a synchronised clock; under its signature the node that submitted it states an error of at most {0} microseconds (allowed: {1})."
        TIME_BOUND_EXCEEDED Failed "VF-2401"
            "记录载明的时间误差 {0} 微秒超过规定的 {1} 微秒，不得作为可信时间。"
            "The record states an error of its time of {0} microseconds, more than the {1} that are allowed for trusted time."
        TIME_BOUND_LOCAL Absent "VF-2480"
            "记录的时间取自节点本地时钟，没有与标准时间同步的误差保证。"
            "The record's time comes from the node's local clock: no bound of its error against standard time is stated."
        TIME_BOUND_UNCHECKED Unchecked "VF-2490"
            "因存证记录不可用，未核验时间误差。"
            "The bound of the time was not examined, because the record is unusable."
    }
    "process_log": {
        PROCESS_LOG_PROVEN Proven "VF-2500"
            "全程留痕日志完整未改：自采集至上链各环节齐全，共 {0} 条，由提交该记录的节点签名，末条摘要 {1}；日志所载锚定交易：{2}（可在账本上核对，“-”表示尚未锚定）。"
            "The process log is complete and unaltered: every step from collection to the ledger is there, {0} entries in all, signed by the node that submitted the record; digest of the last one {1}; transaction that it names as its anchor: {2} (to be looked up on the ledger; '-' if there is none yet)."
        PROCESS_LOG_FORM Failed "VF-2510"
            "全程留痕日志（process.json）不符合规定格式，已损坏或被改动。"
            "The process log (process.json) does not have its prescribed form: it is damaged or was altered."
        PROCESS_LOG_OTHER Failed "VF-2511"
            "全程留痕日志属于另一条记录或另一个通道。"
            "The process log belongs to another record or another channel."
        PROCESS_LOG_ALTERED Failed "VF-2512"
            "全程留痕日志的条目被改动、增删或调换。"
            "Entries of the process log were altered, added, removed or exchanged."
        PROCESS_LOG_SIGNATURE Failed "VF-2513"
            "全程留痕日志的节点签名不正确。"
            "The node's signature over the process log is wrong."
        PROCESS_LOG_SIGNER Failed "VF-2514"
            "全程留痕日志不是由提交该记录的节点签名的。"
            "The process log is not signed by the node that submitted the record."
        PROCESS_LOG_INCOMPLETE Failed "VF-2515"
            "全程留痕日志不完整：缺少环节 {0}。"
            "The process log is incomplete: the step {0} is missing."
        PROCESS_LOG_ORDER Failed "VF-2516"
            "全程留痕日志第 {0} 条的环节或时间次序不对。"
            "Step or time of entry {0} of the process log is out of order."
        PROCESS_LOG_DETAIL Failed "VF-2517"
            "全程留痕日志第 {0} 条（{1}）与存证记录或交易不符。"
            "Entry {0} of the process log ({1}) does not agree with the record or the transaction."
        PROCESS_LOG_UNVOUCHED Failed "VF-2518"
            "签署全程留痕日志的节点证书不能追溯到所信任的根证书，或当时不在有效期内。"
            "The certificate of the node that signed the process log does not lead to a trusted root, or was not valid at the time."
        PROCESS_LOG_ANCHOR Failed "VF-2519"
            "全程留痕日志所载的锚定证明不正确。"
            "The proof of the anchor that the process log names is wrong."
        PROCESS_LOG_ABSENT Absent "VF-2580"
            "没有附带全程留痕日志。"
            "No process log is attached."
        PROCESS_LOG_UNCHECKED Unchecked "VF-2590"
            "证据包内有全程留痕日志（process.json），但未能核验。"
            "The bundle holds a process log (process.json), which was not examined."
        PROCESS_LOG_UNREAD Unchecked "VF-2591"
            "因证据包不可用，未核验全程留痕日志。"
            "A process log was not examined, because the bundle is unusable."
        PROCESS_LOG_UNTRUSTED Unchecked "VF-2592"
            "没有可信根证书，未能核验签署全程留痕日志的节点证书。"
            "Without trusted roots the certificate of the node that signed the process log was not examined."
    }
    "seal": {
        SEAL_ABSENT Absent "VF-2680"
            "没有附带存证证书文件（PDF 或 OFD），无签章可核验。"
            "No certificate document (PDF or OFD) is attached, so there is no seal to examine."
        SEAL_UNCHECKED Unchecked "VF-2690"
            "附带的存证证书文件的签名和印章未经核验。"
            "Signature and seal of the attached certificate document were not examined."
        SEAL_UNREAD Unchecked "VF-2691"
            "因证据包不可用，未核验签名和印章。"
            "Signature and seal were not examined, because the bundle is unusable."
    }
    "revocation": {
        REVOCATION_PROVEN Proven "VF-2700"
            "全部 {0} 张签名证书在作证时均未被吊销（依据您提供的证书吊销列表）。"
            "None of the {0} signing certificates was revoked at the time, by the revocation lists you supplied."
        REVOCATION_REVOKED Failed "VF-2701"
            "证书“{0}”在作证之前已被吊销（自 {1} 起，原因 {2}）。"
            "The certificate “{0}” was revoked before it signed (since {1}, reason {2})."
        REVOCATION_ABSENT Absent "VF-2780"
            "没有提供证书吊销列表，未比对证书是否被吊销。"
            "No revocation lists were supplied: whether a certificate was revoked was not looked up."
        REVOCATION_UNCHECKED Unchecked "VF-2790"
            "因凭据不可用，未比对证书是否被吊销。"
            "Revocation was not looked up, because the receipt is unusable."
        REVOCATION_UNKNOWN Unchecked "VF-2791"
            "您提供的证书吊销列表没有说明证书“{0}”在作证时是否被吊销。"
            "The revocation lists you supplied do not say whether the certificate “{0}” was revoked at the time."
        REVOCATION_FORGED Unchecked "VF-2792"
            "您提供的、涉及证书“{0}”的吊销列表签名不正确，不能作为依据。"
            "The revocation list you supplied for the certificate “{0}” is not properly signed, and nothing rests on it."
    }
    "verdict_signature": {
        VERDICT_SIGNATURE_PROVEN Proven "VF-3000"
            "核验意见由“{0}”签名，签名有效，内容未被改动。"
            "The verdict is signed by “{0}”; the signature is right and nothing was altered."
        VERDICT_SIGNATURE_WRONG Failed "VF-3001"
            "核验意见的签名不正确：内容或签名被改动。"
            "The signature on the verdict is wrong: what it says or the signature was altered."
    }
    "verdict_signer": {
        VERDICT_SIGNER_PROVEN Proven "VF-3100"
            "签名者“{0}”的证书在出具意见时有效，由您信任的根证书签发。"
            "The certificate of the signer “{0}” was valid at the time and issued under a root you trust."
        VERDICT_SIGNER_STRANGER Failed "VF-3101"
            "签名者“{0}”的证书不是由您信任的根证书签发的，或当时无效。"
            "The certificate of the signer “{0}” was not issued under a root you trust, or was not valid at the time."
        VERDICT_SIGNER_REVOKED Failed "VF-3102"
            "签名者的证书“{0}”在出具意见之前已被吊销。"
            "The signer's certificate “{0}” was revoked before the verdict was given."
        VERDICT_SIGNER_UNCHECKED Unchecked "VF-3190"
            "没有提供信任文件，无法核验签名者的证书。"
            "No trust file was supplied, so the signer's certificate could not be checked."
    }
    "verdict_inputs": {
        VERDICT_INPUTS_PROVEN Proven "VF-3200"
            "您提供的 {0} 份文件正是核验意见所针对的文件。"
            "The {0} file(s) you supplied are what the verdict is about."
        VERDICT_INPUTS_OTHER Failed "VF-3201"
            "您提供的文件“{0}”不是核验意见所针对的文件。"
            "The file “{0}” you supplied is none of those that the verdict is about."
        VERDICT_INPUTS_ABSENT Absent "VF-3280"
            "没有提供文件与核验意见比对。"
            "No files were supplied to compare with the verdict."
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_say_their_status() {
        let codes: Vec<_> = ALL.iter().map(|reason| reason.code).collect();
        assert!(codes.is_sorted());
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for reason in ALL {
            let number = reason.code.strip_prefix("VF-").unwrap();
            let status = match &number[2..] {
                "00" => Status::Proven,
                rest if rest.starts_with('8') => Status::Absent,
                rest if rest.starts_with('9') => Status::Unchecked,
                _ => Status::Failed,
            };
            assert_eq!(reason.status, status, "{}", reason.code);
        }
    }

    #[test]
    fn both_languages_state_the_same_facts() {
        for reason in ALL {
            for fact in ["{0}", "{1}", "{2}", "{3}", "{4}"] {
                assert_eq!(
                    reason.zh.contains(fact),
                    reason.en.contains(fact),
                    "{} {fact}",
                    reason.code
                );
            }
            assert!(reason.zh.ends_with('。') && reason.en.ends_with('.'), "{}", reason.code);
        }
    }
}
